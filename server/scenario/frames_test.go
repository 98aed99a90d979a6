package scenario

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"tradechat.internal/libproto"
)

// goldenFile is the golden frames of the protocol.
const goldenFile = "../../libproto/testdata/frames.json"

// frameRow is one line of a table of frames: what is sent in a state, what is answered, and whether the connection is
// open afterwards.
type frameRow struct {
	line     int
	state    string
	requests [][]string // all but the last must be answered OK
	answer   []string
	then     string
}

// cmdFrames goes through a table: each row on a connection of its own, first with every frame in one piece, then byte by
// byte.
func cmdFrames(ts *testscript.TestScript, w *world, args []string) {
	w.running(ts)
	in := &words{ts, args}
	user, file := in.next("user"), in.next("file")
	in.end()
	rows, err := parseFrames(ts.ReadFile(file))
	ts.Check(err)
	for _, row := range rows {
		for _, whole := range []bool{true, false} {
			if err := w.tryRow(user, row, whole); err != nil {
				ts.Fatalf("%s:%d (whole %v): %v", file, row.line, whole, err)
			}
		}
	}
	fmt.Fprintf(ts.Stdout(), "%d rows\n", len(rows))
}

func parseFrames(table string) (rows []frameRow, err error) {
	line := 0
	for text := range strings.Lines(table) {
		line++
		text, _, _ = strings.Cut(text, "#")
		if strings.TrimSpace(text) == "" {
			continue
		}
		cells := strings.Split(text, "|")
		if len(cells) != 4 {
			return nil, fmt.Errorf("line %d: %d cells, want state | requests | answer | then", line, len(cells))
		}
		row := frameRow{line: line, state: strings.TrimSpace(cells[0]), answer: strings.Fields(cells[2]), then: strings.TrimSpace(cells[3])}
		for request := range strings.SplitSeq(cells[1], ";") {
			row.requests = append(row.requests, strings.Fields(request))
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		err = fmt.Errorf("an empty table")
	}
	return rows, err
}

// inState opens a connection of a user in one of the protocol's states.
func (w *world) inState(user, state string) (s *session, err error) {
	switch state {
	case "connected":
		return w.dial(user, false)
	case "greeted":
		return w.greeted(user, -1, false)
	case "ready":
		if s, err = w.greeted(user, -1, false); err == nil {
			err = w.logIn(s)
		}
		return s, err
	}
	return nil, fmt.Errorf("%q is no state: connected, greeted, ready", state)
}

func (w *world) tryRow(user string, row frameRow, whole bool) error {
	s, err := w.inState(user, row.state)
	if err != nil {
		return err
	}
	defer s.hangUp()
	last := len(row.requests) - 1
	for i, request := range row.requests {
		answer := row.answer
		if i < last {
			answer = []string{libproto.StatusOK.String()}
		}
		e, err := w.encode(s, request)
		if err != nil {
			return err
		}
		if err := s.send(e.bytes, whole); err != nil {
			return err
		}
		if _, err := w.answered(s, e, answer); err != nil {
			return err
		}
	}
	return s.then(row.then)
}

// send writes bytes in one piece or one by one; TCP_NODELAY makes each write a segment of its own.
func (s *session) send(b []byte, whole bool) error {
	if whole {
		return s.write(b)
	}
	for i := range b {
		if err := s.write(b[i : i+1]); err != nil {
			return err
		}
	}
	return nil
}

// then checks what became of a connection. One that is open still answers in every state, if only with a refusal.
func (s *session) then(what string) error {
	switch what {
	case "open":
		_, err := s.call(libproto.OpHeartbeat, libproto.HeartbeatRequest{})
		return err
	case "closed":
		last, err := s.end(false)
		if err != nil {
			return err
		}
		return wentAway(last, 0)
	}
	return fmt.Errorf("%q: open or closed", what)
}

// golden is one row of the golden frames.
type golden struct {
	Name, Expect, Hex string
	Opcode            libproto.Opcode
	Flags             libproto.Flags
	Closes            bool
}

// cmdGolden sends every golden frame of the protocol to connections that are logged in, whole and byte by byte.
func cmdGolden(ts *testscript.TestScript, w *world, args []string) {
	w.running(ts)
	in := &words{ts, args}
	user := in.next("user")
	in.end()
	text, err := os.ReadFile(goldenFile)
	ts.Check(err)
	var file struct{ Frames []golden }
	ts.Check(json.Unmarshal(text, &file))
	if len(file.Frames) < 20 {
		ts.Fatalf("%d golden frames", len(file.Frames))
	}
	for _, g := range file.Frames {
		for _, whole := range []bool{true, false} {
			if err := w.tryGolden(user, g, whole); err != nil {
				ts.Fatalf("%s (whole %v): %v", g.Name, whole, err)
			}
		}
	}
}

func (w *world) tryGolden(user string, g golden, whole bool) error {
	frame, err := hex.DecodeString(g.Hex)
	if err != nil {
		return err
	}
	s, err := w.inState(user, "ready")
	if err != nil {
		return err
	}
	defer s.hangUp()
	if err := s.send(frame, whole); err != nil {
		return err
	}
	f, err := s.response()
	if err != nil {
		return err
	}
	const reqIDAt = 14
	if want := binary.BigEndian.Uint64(frame[reqIDAt:]); f.ReqID != want {
		return fmt.Errorf("answered req_id %d, not %d", f.ReqID, want)
	}
	if err := g.check(f.Status); err != nil {
		return err
	}
	if g.Closes {
		return s.then("closed")
	}
	return s.then("open")
}

// check compares the status of the answer. A good frame is never a bad packet, whatever else the server may think of it;
// those that only a server sends are.
func (g golden) check(got libproto.Status) error {
	want, isStatus := statuses[g.Expect]
	if g.Flags&libproto.FlagResponse != 0 {
		want, isStatus = libproto.StatusBadPacket, true
	}
	switch {
	case isStatus && got != want:
		return fmt.Errorf("answered %v, not %v", got, want)
	case !isStatus && (got == libproto.StatusBadPacket || got == libproto.StatusChecksumFail):
		return fmt.Errorf("a good frame was answered %v", got)
	}
	return nil
}
