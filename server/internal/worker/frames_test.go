package worker

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"tradechat.internal/libproto"
	"tradechat.internal/shmstore"
)

// golden is one row of the frames that every implementation of the protocol is tested with.
type golden struct {
	Name, Expect, Hex string
	Opcode            libproto.Opcode
	Flags             libproto.Flags
	ReqID             uint64 `json:"req_id"`
	Closes            bool
}

func goldenFrames(t testing.TB) []golden {
	t.Helper()
	text, err := os.ReadFile("../../../libproto/testdata/frames.json")
	must(t, err)
	var file struct{ Frames []golden }
	must(t, json.Unmarshal(text, &file))
	if len(file.Frames) < 20 {
		t.Fatalf("%d golden frames", len(file.Frames))
	}
	return file.Frames
}

func (g golden) bytes(t testing.TB) []byte {
	t.Helper()
	b, err := hex.DecodeString(g.Hex)
	must(t, err)
	return b
}

// expected is what a server answers a golden frame in READY. Of the good ones a client may send only requests.
func (g golden) expected() (libproto.Status, bool) {
	for s := range libproto.Status(libproto.StatusCount) {
		if s.String() == g.Expect {
			return s, true
		}
	}
	_, row := lookup(g.Opcode)
	switch {
	case g.Flags&libproto.FlagResponse != 0:
		return libproto.StatusBadPacket, true
	case row == nil:
		return libproto.StatusUnsupported, true
	case row.states&stateReady == 0:
		return libproto.StatusUnauthorized, true
	}
	return 0, false // depends on the store
}

// TestGoldenFrames sends each golden frame to a READY connection, whole and byte by byte.
func TestGoldenFrames(t *testing.T) {
	c := startCluster(t, nil)
	c.addUser("alice", 0)
	for _, g := range goldenFrames(t) {
		for _, pieces := range []int{1, len(g.Hex) / 2} {
			t.Run(fmt.Sprintf("%s in %d", g.Name, pieces), func(t *testing.T) {
				p := c.workers[0].enter(t, "alice")
				p.sendInPieces(g.bytes(t), pieces)
				f := p.response()
				if f.ReqID != binary.BigEndian.Uint64(g.bytes(t)[14:]) {
					t.Errorf("req_id %d", f.ReqID)
				}
				if want, fixed := g.expected(); fixed && f.Status != want {
					t.Errorf("%v, not %v", f.Status, want)
				} else if !fixed && (f.Status == libproto.StatusBadPacket || f.Status == libproto.StatusChecksumFail) {
					t.Errorf("a good frame is answered %v", f.Status)
				}
				p.checkOpen(!g.Closes)
			})
		}
	}
}

// sendInPieces makes the server see about so many reads: each piece is a segment of its own.
func (p *peer) sendInPieces(b []byte, pieces int) {
	p.t.Helper()
	size := (len(b) + pieces - 1) / pieces
	for len(b) > 0 {
		n := min(size, len(b))
		p.write(b[:n])
		b = b[n:]
	}
}

// checkOpen checks whether the server still answers, or else has closed.
func (p *peer) checkOpen(open bool) {
	p.t.Helper()
	if open {
		p.call(libproto.OpHeartbeat, libproto.HeartbeatRequest{})
	} else {
		p.closed()
	}
}

// damage turns a good request into a bad one.
type damage struct {
	name   string
	apply  func(frame []byte) []byte
	want   libproto.Status
	closes bool
}

func set(at int, value byte) func([]byte) []byte {
	return func(f []byte) []byte {
		f[at] = value
		return f
	}
}

// sealed is set with the checksum made right again, so that only the field itself is wrong.
func sealed(at int, value byte) func([]byte) []byte {
	return func(f []byte) []byte {
		f[at] = value
		libproto.Seal(f)
		return f
	}
}

// bomb announces a body of 16 MiB and sends n bytes of it.
func bomb(n int) func([]byte) []byte {
	return func(f []byte) []byte {
		f[6] = 1
		return append(f[:libproto.HeaderLen], make([]byte, n)...)
	}
}

// resized makes the body longer or shorter, with header and checksum to match.
func resized(by int) func([]byte) []byte {
	return func(f []byte) []byte {
		f = append(f, 0)[:len(f)+by]
		libproto.Seal(f)
		return f
	}
}

// badFrames is the table of PROTOCOL §2, for a request with an 8-byte body.
var badFrames = []damage{
	{"magic", set(0, 'X'), libproto.StatusBadPacket, true},
	{"version", set(2, 2), libproto.StatusBadPacket, true},
	{"unknown flag", sealed(3, 1<<4), libproto.StatusBadPacket, true},
	{"highest flag", sealed(3, 1<<7), libproto.StatusBadPacket, true},
	{"encrypted, not agreed", sealed(3, byte(libproto.FlagEncrypted)), libproto.StatusBadPacket, true},
	{"compressed, not agreed", sealed(3, byte(libproto.FlagCompressed)), libproto.StatusBadPacket, true},
	{"header_len", set(5, 33), libproto.StatusBadPacket, true},
	{"reserved", set(31, 1), libproto.StatusBadPacket, true},
	{"body_len over the limit, of which nothing is sent", bomb(0), libproto.StatusBadPacket, true},
	{"body_len over the limit, with input after it", bomb(100_000), libproto.StatusBadPacket, true},
	{"checksum", set(25, 0x5a), libproto.StatusChecksumFail, false},
	{"body", set(39, 0x5a), libproto.StatusChecksumFail, false},
	{"is_response", sealed(3, byte(libproto.FlagResponse)), libproto.StatusBadPacket, false},
	{"replayed", sealed(3, byte(libproto.FlagReplayed)), libproto.StatusBadPacket, false},
	{"status", sealed(13, 1), libproto.StatusBadPacket, false},
	{"unknown opcode", sealed(10, 0x77), libproto.StatusUnsupported, false},
	{"opcode of a group that does not exist", sealed(10, 0xff), libproto.StatusUnsupported, false},
	{"opcode 0 of a group", sealed(11, 0), libproto.StatusUnsupported, false},
	{"short body", resized(-1), libproto.StatusBadPacket, false},
	{"trailing byte", resized(1), libproto.StatusBadPacket, false},
}

func TestBadFrames(t *testing.T) {
	c := startCluster(t, nil)
	c.addUser("alice", 0)
	for _, d := range badFrames {
		for _, cut := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, cut %v", d.name, cut), func(t *testing.T) {
				p := c.workers[0].enter(t, "alice")
				frame := d.apply(p.request(libproto.OpHeartbeat, libproto.HeartbeatRequest{ClientTimeNs: 9}))
				pieces := 1
				if cut && len(frame) < 1000 {
					pieces = len(frame)
				}
				bad := p.reqID
				p.sendInPieces(frame, pieces)
				f := p.response()
				if f.Status != d.want || f.ReqID != bad {
					t.Fatalf("%v for req_id %d, not %v for %d", f.Status, f.ReqID, d.want, bad)
				}
				errorBody(t, f)
				p.checkOpen(!d.closes)
			})
		}
	}
}

// TestAnswersBeforeAFatalFrame: what was asked before the fault is answered, what comes after it is not.
func TestAnswersBeforeAFatalFrame(t *testing.T) {
	c := startCluster(t, nil)
	c.addUser("alice", 0)
	p := c.workers[0].enter(t, "alice")
	good := p.request(libproto.OpHeartbeat, libproto.HeartbeatRequest{})
	bad := set(2, 9)(p.request(libproto.OpHeartbeat, libproto.HeartbeatRequest{}))
	after := p.request(libproto.OpHeartbeat, libproto.HeartbeatRequest{})
	p.write(append(append(good, bad...), after...))
	if f := p.response(); f.Status != libproto.StatusOK {
		t.Errorf("the good request: %v", f.Status)
	}
	if f := p.response(); f.Status != libproto.StatusBadPacket {
		t.Errorf("the bad request: %v", f.Status)
	}
	p.closed()
}

func TestBodyLimitBeforeAndAfterLogin(t *testing.T) {
	c := startCluster(t, nil)
	c.addUser("alice", 0)
	long := libproto.ChatSendRequest{RoomID: 1, Message: make([]byte, libproto.BodyLenMaxBeforeLogin)}
	for i := range long.Message {
		long.Message[i] = 'x'
	}

	p := dial(t, c.workers[0].addr)
	p.hello()
	p.refused(libproto.StatusBadPacket, libproto.OpChatSend, long)
	p.closed()

	p = c.workers[0].enter(t, "alice")
	p.refused(libproto.StatusUnauthorized, libproto.OpChatSend, long) // a member it is not
	p.join(1)
	p.say(1, string(long.Message))
}

func TestFourChecksumFailuresClose(t *testing.T) {
	c := startCluster(t, nil)
	c.addUser("alice", 0)
	p := c.workers[0].enter(t, "alice")
	for i := range libproto.ChecksumFaultsMax {
		p.write(set(25, byte(i))(p.request(libproto.OpBalance, libproto.Empty{})))
		if f := p.response(); f.Status != libproto.StatusChecksumFail {
			t.Fatalf("failure %d: %v", i, f.Status)
		}
	}
	p.goingAway(libproto.GoingAwayAbuse)
	if n := c.metrics(0).Counters[shmstore.CounterChecksumFailures]; n != libproto.ChecksumFaultsMax {
		t.Errorf("%d checksum failures counted", n)
	}
}

func TestSixteenRequestsOutOfStateClose(t *testing.T) {
	c := startCluster(t, nil)
	p := dial(t, c.workers[0].addr)
	for range libproto.StateFaultsMax {
		p.refused(libproto.StatusUnauthorized, libproto.OpBalance, libproto.Empty{})
	}
	p.goingAway(libproto.GoingAwayAbuse)
}

func TestStrikesAreForgottenAfterTheWindow(t *testing.T) {
	c := new(conn)
	window := ticks(libproto.FaultWindow)
	for now := tick(1); now < 50*window; now += window/3 + 1 { // three in a window, for ever
		if c.strikeChecksum(now) {
			t.Fatalf("closed at tick %d", now)
		}
	}
	now := 100 * window
	for i := range libproto.StateFaultsMax {
		if over := c.strikeOutOfState(now + tick(i)); over != (i == libproto.StateFaultsMax-1) {
			t.Errorf("strike %d: %v", i+1, over)
		}
	}
}

// TestStatesAndOpcodes sends every opcode in every state.
func TestStatesAndOpcodes(t *testing.T) {
	c := startCluster(t, nil)
	c.addUser("alice", 0)
	enter := map[state]func(t *testing.T) *peer{
		stateConnected: func(t *testing.T) *peer { return dial(t, c.workers[0].addr) },
		stateGreeted: func(t *testing.T) *peer {
			p := dial(t, c.workers[0].addr)
			p.hello()
			return p
		},
		stateReady: func(t *testing.T) *peer { return c.workers[0].enter(t, "alice") },
	}
	allowed := map[state]func(op libproto.Opcode) bool{
		stateConnected: func(op libproto.Opcode) bool { return op == libproto.OpHello },
		stateGreeted: func(op libproto.Opcode) bool {
			return op == libproto.OpLogin || op == libproto.OpRegister || op == libproto.OpHeartbeat
		},
		stateReady: func(op libproto.Opcode) bool {
			return op != libproto.OpHello && op != libproto.OpLogin && op != libproto.OpRegister
		},
	}
	for s, open := range enter {
		for _, op := range libproto.Opcodes() {
			t.Run(fmt.Sprintf("%v %v", op, s), func(t *testing.T) {
				body := libproto.NewRequest(op)
				push := body == nil
				switch {
				case push:
					body = &libproto.Empty{}
				case op == libproto.OpHello:
					body = &libproto.HelloRequest{VersionMin: 1, VersionMax: 1}
				}
				admin := op>>8 == 3
				status := open(t).call(op, body).Status
				switch {
				case push || admin:
					if status != libproto.StatusUnsupported {
						t.Errorf("no request for a client, but %v", status)
					}
				case !allowed[s](op):
					if status != libproto.StatusUnauthorized {
						t.Errorf("not allowed, but %v", status)
					}
				case status == libproto.StatusUnsupported:
					t.Errorf("allowed, but %v", status)
				}
			})
		}
	}
}
