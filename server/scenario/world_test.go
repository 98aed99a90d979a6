package scenario

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"tradechat.internal/libproto"
	"tradechat.internal/shmstore"
)

// world is everything that one script has.
type world struct {
	work    string // folder
	data    string // the server's folder
	segment string // name of the segment of the server that was started last; empty before

	server   *server
	sessions map[string]*session
	past     map[string]*session // of each name the last one that logged in, connected or not
	users    map[string]user
	rooms    map[string]*room
	watches  map[string]*watch
	crowd    []*session
	queue    *queue
	tellers  []*teller // those of midway
}

// user is one that a session was opened for.
type user struct {
	id   uint32
	keys libproto.Keys
}

func newWorld(work string) *world {
	return &world{
		work:     work,
		data:     filepath.Join(work, "data"),
		sessions: make(map[string]*session),
		past:     make(map[string]*session),
		users:    make(map[string]user),
		rooms:    make(map[string]*room),
		watches:  make(map[string]*watch),
	}
}

func (w *world) cleanUp() {
	for _, watch := range w.watches {
		watch.hangUp() // it may wait for an answer that never comes
		watch.stop()
	}
	for _, s := range w.sessions {
		s.hangUp()
	}
	for _, s := range w.crowd {
		s.hangUp()
	}
	if w.queue != nil {
		w.queue.hangUp()
	}
	if w.server != nil {
		w.server.destroy()
	}
	if w.learnSegment(); w.segment != "" {
		_ = os.Remove(w.segmentPath())
	}
}

// learnSegment reads the name of the segment that the data folder has now, if it has one.
func (w *world) learnSegment() {
	if text, err := os.ReadFile(filepath.Join(w.data, "segment")); err == nil {
		w.segment = strings.TrimSpace(string(text))
	}
}

func (w *world) segmentPath() string { return filepath.Join(shmstore.Folder, w.segment) }

// running is the server, which must have been started.
func (w *world) running(ts *testscript.TestScript) *server {
	if w.server == nil {
		ts.Fatalf("no server was started")
	}
	return w.server
}

// session is the one of that name.
func (w *world) session(ts *testscript.TestScript, name string) *session {
	s := w.sessions[name]
	if s == nil {
		ts.Fatalf("there is no session %s; login or connect makes one", name)
	}
	return s
}

// words takes the words of a command one after the other.
type words struct {
	ts   *testscript.TestScript
	rest []string
}

// next is the next word; what says what it should have been.
func (w *words) next(what string) string {
	if len(w.rest) == 0 {
		w.ts.Fatalf("missing: %s", what)
	}
	word := w.rest[0]
	w.rest = w.rest[1:]
	return word
}

// skip takes the next word if it is this one.
func (w *words) skip(word string) bool {
	if len(w.rest) == 0 || w.rest[0] != word {
		return false
	}
	w.rest = w.rest[1:]
	return true
}

func (w *words) number(what string) int {
	word, n := w.next(what), 0
	if _, err := fmt.Sscanf(word, "%d", &n); err != nil || fmt.Sprint(n) != word {
		w.ts.Fatalf("%s: %q is not a whole number", what, word)
	}
	return n
}

// within takes "within DURATION"; 0 if it is not there.
func (w *words) within() time.Duration {
	if !w.skip("within") {
		return 0
	}
	d, err := time.ParseDuration(w.next("duration"))
	w.ts.Check(err)
	return d
}

// end checks that nothing is left.
func (w *words) end() {
	if len(w.rest) > 0 {
		w.ts.Fatalf("too much: %s", strings.Join(w.rest, " "))
	}
}
