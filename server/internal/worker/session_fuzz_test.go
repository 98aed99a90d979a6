package worker

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"testing"
	"time"

	"tradechat.internal/libproto"
	"tradechat.internal/server/internal/config"
	"tradechat.internal/shmstore"
)

// FuzzSession sends mutated sessions to live workers: what a real client sent, with bytes, lengths and order changed, in pieces, on one
// connection or two. What must hold after each of them:
//
//   - the workers answer another client, and the connections have ended in order, by the client's closing or by the server's;
//   - no session has stayed with a connection that is gone, and no connection in a table;
//   - no lock is held and the books are right (at every checkEvery-th);
//   - memory stays bounded (likewise).
//
// The fuzzer changes bytes of the frames, and of the script, which is one byte a frame: what to do with it.
//
//	script[0]  how to connect:    bit 0  send everything as it is, HELLO too: no login can succeed
//	                              bit 1  the second connection goes to the other worker
//	                              bit 2  the first connection is still open when the second begins
//	script[i]  what to do:        the low three bits, an edit
//	                              bit 3  leave proof and session id as they were recorded
//	                              the high four bits, where: in sixteenths of the frame
func FuzzSession(f *testing.F) {
	for _, r := range recordedSessions(f) {
		for _, script := range seedScripts {
			f.Add(r.connections[0], r.connections[1], script)
		}
	}
	g := newGround(f)
	f.Fuzz(func(t *testing.T, first, second, script []byte) {
		g.use(t)
		g.replay(first, second, script, func(*player) {})
		g.check()
	})
}

// The edits of one frame.
const (
	editNone    = iota // sealed anew, so that changed bytes come past the checksum
	editDamage         // not sealed
	editDrop           //
	editTwice          //
	editSwap           // with the next
	editSplit          // two writes, with a HEARTBEAT of the other client between them
	editCut            // only the first part is sent
	editShorter        // body_len says less than there is
)

var seedScripts = [][]byte{
	{}, {1}, {2}, {4}, {6},
	{0, 0, editTwice, editSwap, editTwice, editSwap, editTwice},
	{2, editSplit, editSplit | 0x40, editSplit | 0x80, editSplit | 0xF0, editSplit | 0x10},
	{0, 0, editDamage, editCut | 0x20}, {0, 0, 0, editDrop, editShorter | 0x80, 0, editDamage},
	{4, 8, 8, 8, 8, 8, 8, 8},
}

const (
	// checkEvery is how often the whole segment and the memory are looked at: it takes longer than a session.
	checkEvery = 64

	// heapBytesMax bounds the heap of this process, workers, fuzzer and all. A worker keeps buffers of under a MiB.
	heapBytesMax = 96 << 20

	// streamBytesMax bounds an input; the recorded sessions have a tenth of it.
	streamBytesMax = 32 << 10
)

// ground is the workers, the users of the recorded sessions, and a witness on each worker.
type ground struct {
	*cluster
	t         testing.TB
	witnesses []*peer
	users     []uint32
	runs      int
}

func newGround(t testing.TB) *ground {
	c := newCluster(t, func(s *config.Config) { s.Workers = 2 })
	g := &ground{cluster: c, t: t}
	for _, name := range []string{"ann", "bob"} { // in the order in which they were recorded
		g.users = append(g.users, c.addUser(name, 1<<40))
	}
	c.addUser("witness", 0)
	c.openJournal().follow()
	c.start()
	for _, w := range c.workers {
		g.witnesses = append(g.witnesses, w.enter(t, "witness"))
	}
	return g
}

func (g *ground) use(t testing.TB) {
	g.t, g.cluster.t = t, t
	for _, w := range g.witnesses {
		w.t = t
	}
}

// replay plays a session; played is called before a connection is ended by the client. Answers that wait for the disk are lost then.
func (g *ground) replay(first, second, script []byte, played func(*player)) {
	if len(first)+len(second) > streamBytesMax {
		return
	}
	s := &playScript{rest: script}
	how := s.next()
	a := g.connect(how, 0)
	a.play(first, s)
	played(a)
	if how&4 == 0 {
		a.end()
	}
	if len(second) > 0 {
		b := g.connect(how, int(how>>1&1))
		b.session = a.session
		b.play(second, s)
		played(b)
		b.end()
	}
	a.end()
}

// check is what must hold after every session.
func (g *ground) check() {
	g.t.Helper()
	for _, w := range g.witnesses {
		w.call(libproto.OpBalance, libproto.Empty{})
	}
	await(g.t, "only the witnesses are connected", func() bool {
		open := uint64(0)
		for slot := range g.workers {
			m := g.metrics(slot)
			open += m.Counters[shmstore.CounterConnections] - m.Counters[shmstore.CounterConnectionsClosed]
		}
		return open == uint64(len(g.witnesses))
	})
	for _, user := range g.users {
		if g.segment.Online(user) {
			g.t.Fatalf("user %d has a session that is not detached", user)
		}
	}
	if g.runs++; g.runs%checkEvery == 1 {
		g.checkAll()
	}
}

// checkAll looks at everything, while nothing runs.
func (g *ground) checkAll() {
	g.t.Helper()
	await(g.t, "everything is durable", func() bool { return g.segment.Durable() == g.segment.Head() })
	if report := g.segment.VerifyQuiescent(); !report.OK() {
		g.t.Fatalf("segment: %s", report)
	}
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	if m.HeapAlloc > heapBytesMax {
		g.t.Fatalf("%d MiB of heap after %d sessions", m.HeapAlloc>>20, g.runs)
	}
}

// playScript is the rest of a script; past its end it is zeros.
type playScript struct{ rest []byte }

func (s *playScript) next() (b byte) {
	if len(s.rest) > 0 {
		b, s.rest = s.rest[0], s.rest[1:]
	}
	return b
}

// player is one connection of a replay.
type player struct {
	*peer
	g        *ground
	greeted  libproto.HelloResponse
	raw      bool
	aligned  bool // everything so far was whole frames: each is answered, or the connection ends
	ended    bool // nothing can be sent or read any more
	session  uint64
	answered map[libproto.Status]int
}

func (g *ground) connect(how byte, slot int) *player {
	p := &player{peer: dial(g.t, g.workers[slot].addr), g: g, raw: how&1 != 0, aligned: true, answered: make(map[libproto.Status]int)}
	if !p.raw {
		p.greeted = p.hello()
		p.answered[libproto.StatusOK]++
	}
	return p
}

// play sends the frames of a stream as the script says. Unless raw, the first is HELLO, which has been said.
func (p *player) play(stream []byte, s *playScript) {
	frames := framesOf(stream)
	if !p.raw && len(frames) > 0 {
		frames = frames[1:]
	}
	for i := 0; i < len(frames) && !p.ended; i++ {
		do := s.next()
		if do&7 == editSwap && i+1 < len(frames) {
			frames[i], frames[i+1] = frames[i+1], frames[i]
		}
		p.perform(frames[i], do)
	}
}

// framesOf cuts a stream where its headers say; what is left over at the end is a piece as well.
func framesOf(stream []byte) (frames [][]byte) {
	const bodyLenAt = 6
	for len(stream) > 0 {
		n := len(stream)
		if n >= libproto.HeaderLen {
			n = min(n, libproto.HeaderLen+int(binary.BigEndian.Uint32(stream[bodyLenAt:])))
		}
		frames = append(frames, append([]byte(nil), stream[:n]...))
		stream = stream[n:]
	}
	return frames
}

func (p *player) perform(frame []byte, do byte) {
	at := len(frame) * int(do>>4) / 16
	login := false
	if edit := do & 7; edit != editDamage && len(frame) >= libproto.HeaderLen {
		if edit == editShorter {
			p.aligned = false
			binary.BigEndian.PutUint32(frame[6:], uint32(at))
		}
		if do&8 == 0 && !p.raw {
			login = p.correct(frame)
		}
		libproto.Seal(frame)
	}
	p.aligned = p.aligned && len(frame) >= libproto.HeaderLen && libproto.HeaderLen+int(binary.BigEndian.Uint32(frame[6:])) == len(frame)
	switch do & 7 {
	case editDrop:
		return
	case editTwice:
		p.put(frame)
	case editSplit:
		p.put(frame[:at])
		p.g.witnesses[0].call(libproto.OpHeartbeat, libproto.HeartbeatRequest{})
		frame = frame[at:]
	case editCut:
		p.aligned = false
		frame = frame[:at]
	}
	p.put(frame)
	if login && p.aligned {
		p.awaitLogin()
	}
}

func (p *player) put(b []byte) {
	if !p.ended {
		_ = p.socket.SetWriteDeadline(time.Now().Add(patience))
		_, err := p.socket.Write(b)
		p.stuck(err)
		p.ended = err != nil
	}
}

// correct puts into a frame what only this run knows: the proof for this greeting, and the session of this connection. It reports
// whether that made a LOGIN of it.
func (p *player) correct(frame []byte) (login bool) {
	f := frame[libproto.HeaderLen:]
	switch libproto.Opcode(binary.BigEndian.Uint16(frame[10:])) {
	case libproto.OpLogin:
		var q libproto.LoginRequest
		if q.Decode(f) != nil {
			return false
		}
		right := loginRequest(string(q.Username), p.greeted)
		if right.ResumeSessionID = q.ResumeSessionID; q.ResumeSessionID != 0 {
			right.ResumeSessionID = p.session
		}
		copy(f, right.AppendTo(nil))
		return true
	case libproto.OpTxnStatus:
		if len(f) >= 8 {
			binary.BigEndian.PutUint64(f, p.session)
		}
	}
	return false
}

// awaitLogin reads up to the answer to a LOGIN, or the end.
func (p *player) awaitLogin() {
	for !p.ended {
		f := p.take()
		if !p.ended && f.Op == libproto.OpLogin && f.Flags&libproto.FlagResponse != 0 {
			var l libproto.LoginResponse
			if f.Status == libproto.StatusOK && l.Decode(f.Body) == nil {
				p.session = l.SessionID
			}
			return
		}
	}
}

// take reads one frame; p.ended if there is none.
func (p *player) take() libproto.Frame {
	f, err := p.next()
	p.stuck(err)
	if p.ended = err != nil; !p.ended && f.Flags&libproto.FlagResponse != 0 {
		p.answered[f.Status]++
	}
	return f
}

// answers is how many requests were answered.
func (p *player) answers() (n int) {
	for _, some := range p.answered {
		n += some
	}
	return n
}

// end closes our side and reads to the server's end; afterwards it does nothing.
func (p *player) end() {
	_ = p.socket.CloseWrite()
	for !p.ended {
		p.take()
	}
	_ = p.socket.SetReadDeadline(time.Now().Add(patience))
	_, err := io.Copy(io.Discard, p.socket)
	p.stuck(err)
	_ = p.socket.Close()
}

// stuck fails for a connection on which nothing happens any more. Every other end is an end.
func (p *player) stuck(err error) {
	p.t.Helper()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		p.t.Fatal("the server neither answers nor closes")
	}
	if err != nil && !errors.Is(err, net.ErrClosed) && isFrameError(err) {
		p.t.Fatalf("the server sent what is no frame: %v", err)
	}
}

func isFrameError(err error) bool {
	return libproto.IsFatal(err) || errors.Is(err, libproto.ErrChecksum)
}

// TestRecordedSessions: played without changes, every request of the recorded sessions is answered with OK; so the fuzzer begins where a
// real client leads.
func TestRecordedSessions(t *testing.T) {
	for _, r := range recordedSessions(t) {
		t.Run(r.name, func(t *testing.T) {
			g := newGround(t)
			on := 0
			g.replay(r.connections[0], r.connections[1], nil, func(p *player) {
				for p.answers() < r.frames[on] && !p.ended {
					p.take()
				}
				if p.answered[libproto.StatusOK] != r.frames[on] || len(p.answered) != 1 {
					t.Errorf("connection %d: %d frames, answers %v", on, r.frames[on], p.answered)
				}
				on++
			})
			g.check()
		})
	}
}
