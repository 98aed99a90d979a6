package admin

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tradechat.internal/liblog"
	"tradechat.internal/libproto"
	"tradechat.internal/shmstore"
)

// strangerVariable makes this binary the client of TestStrangerIsTurnedAway, run by another user.
const strangerVariable = "ADMIN_TEST_STRANGER"

func TestMain(m *testing.M) {
	if path := os.Getenv(strangerVariable); path != "" {
		os.Exit(strangerMain(path))
	}
	os.Exit(m.Run())
}

// bench is a server on a real segment, and what its requests changed.
type bench struct {
	server  *Server
	path    string
	segment *shmstore.Segment
	mu      sync.Mutex
	store   *shmstore.Store
	sync    bool // answers wait for the disk
}

func newBench(t *testing.T) *bench {
	t.Helper()
	return makeBench(t, false)
}

func makeBench(t *testing.T, sync bool) *bench {
	t.Helper()
	shape := shmstore.DefaultShape()
	shape.Workers, shape.UsersMax, shape.SessionsMax, shape.RoomsMax = 1, 4, 16, 2
	shape.LogRecords, shape.RoomRingBytes, shape.MailboxBytes, shape.MessageBytesMax = 1<<10, 1<<12, 1<<12, 256
	name := fmt.Sprintf("tradechat-test-%d-%s", os.Getpid(), strings.ReplaceAll(t.Name(), "/", "-"))
	segment, err := shmstore.Create(name, shape, shmstore.Origin{Realm: [16]byte{1}})
	check(t, err)
	t.Cleanup(func() { _, _ = segment.Unlink(), segment.Close() })
	b := &bench{segment: segment, sync: sync, path: filepath.Join(t.TempDir(), "admin.sock")}
	b.store, err = segment.Bind(1, func(int) {})
	check(t, err)
	b.listen(t, b.path)
	return b
}

func (b *bench) listen(t *testing.T, path string) {
	t.Helper()
	server, err := Listen(path, Backend{
		WithStore: func(f func(*shmstore.Store)) {
			b.mu.Lock()
			defer b.mu.Unlock()
			f(b.store)
		},
		Sync:  b.sync,
		Hello: libproto.HelloResponse{Version: libproto.Version, RealmSalt: [16]byte{1}, KDFIterations: 4096, Agent: []byte("test")},
		Stats: func() ([]byte, error) { return []byte(`{"version":"test"}`), nil },
	}, liblog.New(liblog.Options{Writer: t.Output(), Format: liblog.FormatJSON}))
	check(t, err)
	b.server = server
	t.Cleanup(server.Close)
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// client speaks frames to the socket.
type client struct {
	*net.UnixConn
	t       *testing.T
	in      []byte
	decoder libproto.Decoder
}

func (b *bench) dial(t *testing.T) *client {
	t.Helper()
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: b.path, Net: "unix"})
	check(t, err)
	t.Cleanup(func() { conn.Close() })
	check(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
	return &client{UnixConn: conn, t: t, decoder: libproto.Decoder{BodyLenMax: 1 << 17}}
}

func (c *client) send(b []byte) {
	c.t.Helper()
	_, err := c.Write(b)
	check(c.t, err)
}

// next returns the next frame, or the error that ended the connection.
func (c *client) next() (libproto.Frame, error) {
	c.t.Helper()
	for {
		frame, n, err := c.decoder.Next(c.in)
		if err != nil || n > 0 {
			frame.Body = slices.Clone(frame.Body)
			c.in = c.in[n:]
			return frame, err
		}
		part := make([]byte, 1<<16)
		n, err = c.Read(part)
		if err != nil {
			return libproto.Frame{}, err
		}
		c.in = append(c.in, part[:n]...)
	}
}

// expect reads a response and checks what every response must have.
func (c *client) expect(op libproto.Opcode, reqID uint64, status libproto.Status) libproto.Frame {
	c.t.Helper()
	frame, err := c.next()
	check(c.t, err)
	want := libproto.Header{Op: op, ReqID: reqID, Status: status, Flags: libproto.FlagResponse}
	got := frame.Header
	got.BodyLen, got.Checksum = 0, 0
	if got != want {
		c.t.Errorf("answer %+v (%s), want %+v", got, detail(frame), want)
	}
	return frame
}

func (c *client) expectClosed() {
	c.t.Helper()
	if frame, err := c.next(); !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
		c.t.Errorf("got %+v, %v; want the connection closed", frame.Header, err)
	}
}

func detail(f libproto.Frame) string {
	var body libproto.ErrorBody
	if f.Status == libproto.StatusOK || body.Decode(f.Body) != nil {
		return ""
	}
	return string(body.Detail)
}

func sealed(op libproto.Opcode, reqID uint64, body libproto.Body) []byte {
	return libproto.AppendFrame(nil, libproto.Header{Op: op, ReqID: reqID}, body)
}

func userAdd(name string, deposit uint64) libproto.UserAddRequest {
	return libproto.UserAddRequest{
		Username: []byte(name), StoredKey: [32]byte{1, 2}, ServerKey: [32]byte{3, 4}, OpeningDeposit: deposit,
	}
}

func TestUserAdd(t *testing.T) {
	b := newBench(t)
	c := b.dial(t)
	for i, step := range []struct {
		name    string
		deposit uint64
		status  libproto.Status
	}{
		{"ann", 500, libproto.StatusOK},
		{"bob", 0, libproto.StatusOK},
		{"ann", 500, libproto.StatusAlreadyExists},
		{"carl", libproto.AmountMax + 1, libproto.StatusInvalidArgument},
		{"no spaces", 0, libproto.StatusInvalidArgument},
		{"", 0, libproto.StatusInvalidArgument},
		{"dora", libproto.AmountMax - 499, libproto.StatusLimit},
		{"dora", libproto.AmountMax - 501, libproto.StatusOK},
		{"emil", 0, libproto.StatusOK},
		{"one-too-many", 0, libproto.StatusLimit},
	} {
		c.send(sealed(libproto.OpUserAdd, uint64(i), userAdd(step.name, step.deposit)))
		frame := c.expect(libproto.OpUserAdd, uint64(i), step.status)
		if step.status != libproto.StatusOK {
			if detail(frame) == "" {
				t.Errorf("%s: %v without a word of explanation", step.name, step.status)
			}
			continue
		}
		var response libproto.UserAddResponse
		check(t, response.Decode(frame.Body))
		b.checkUser(t, step.name, response.UserID, int64(step.deposit))
	}
}

func (b *bench) checkUser(t *testing.T, name string, id uint32, balance int64) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	found, ok := b.segment.FindUser([]byte(name))
	got, _, err := b.store.Balance(found)
	stored, server, _ := b.segment.UserKeys(found)
	if !ok || found != id || err != nil || got != balance || stored != [32]byte{1, 2} || server != [32]byte{3, 4} {
		t.Errorf("%s: id %d (%v), balance %d (%v), keys %x %x; want id %d, balance %d", name, found, ok, got, err,
			stored[:2], server[:2], id, balance)
	}
}

func TestUserSetKeys(t *testing.T) {
	b := newBench(t)
	c := b.dial(t)
	c.send(sealed(libproto.OpUserAdd, 1, userAdd("ann", 0)))
	c.expect(libproto.OpUserAdd, 1, libproto.StatusOK)
	keys := libproto.UserSetKeysRequest{Username: []byte("ann"), StoredKey: [32]byte{9}, ServerKey: [32]byte{8}}
	c.send(sealed(libproto.OpUserSetKeys, 2, keys))
	if frame := c.expect(libproto.OpUserSetKeys, 2, libproto.StatusOK); len(frame.Body) != 0 {
		t.Errorf("body of %d bytes", len(frame.Body))
	}
	if stored, server, ok := b.segment.UserKeys(1); !ok || stored != keys.StoredKey || server != keys.ServerKey {
		t.Errorf("keys %x %x, %v", stored, server, ok)
	}
	keys.Username = []byte("nobody")
	c.send(sealed(libproto.OpUserSetKeys, 3, keys))
	c.expect(libproto.OpUserSetKeys, 3, libproto.StatusNotFound)
}

func TestHelloTellsWhatKeysAreMadeWith(t *testing.T) {
	c := newBench(t).dial(t)
	c.send(sealed(libproto.OpHello, 4, libproto.HelloRequest{VersionMin: libproto.Version, VersionMax: libproto.Version}))
	var response libproto.HelloResponse
	check(t, response.Decode(c.expect(libproto.OpHello, 4, libproto.StatusOK).Body))
	if response.RealmSalt != [16]byte{1} || response.KDFIterations != 4096 {
		t.Errorf("salt %x, %d iterations", response.RealmSalt, response.KDFIterations)
	}
	newer := libproto.HelloRequest{VersionMin: libproto.Version + 1, VersionMax: libproto.Version + 1}
	c.send(sealed(libproto.OpHello, 5, newer))
	c.expect(libproto.OpHello, 5, libproto.StatusBadPacket)
}

func TestServerStats(t *testing.T) {
	c := newBench(t).dial(t)
	c.send(sealed(libproto.OpServerStats, 5, libproto.Empty{}))
	var response libproto.ServerStatsResponse
	check(t, response.Decode(c.expect(libproto.OpServerStats, 5, libproto.StatusOK).Body))
	if string(response.JSON) != `{"version":"test"}` {
		t.Errorf("JSON %q", response.JSON)
	}
}

func TestOtherOpcodesAreUnsupported(t *testing.T) {
	c := newBench(t).dial(t)
	served := []libproto.Opcode{libproto.OpHello, libproto.OpUserAdd, libproto.OpUserSetKeys, libproto.OpServerStats}
	for i, op := range append(libproto.Opcodes(), 0, 0x0304, 0x7777, 0xffff) {
		if !slices.Contains(served, op) {
			c.send(sealed(op, uint64(i), libproto.Empty{}))
			c.expect(op, uint64(i), libproto.StatusUnsupported)
		}
	}
}

// spoilt is a good request with one byte changed and, if seal is set, the checksum made right again.
func spoilt(at int, value byte, seal bool) []byte {
	frame := sealed(libproto.OpServerStats, 7, libproto.Empty{})
	frame[at] = value
	if seal {
		libproto.Seal(frame)
	}
	return frame
}

// TestBadFrames goes through the protocol's table of them, sent whole and byte by byte.
func TestBadFrames(t *testing.T) {
	tooLong := spoilt(8, 4, false) // body_len 1,024 … and one more
	tooLong[9] = 1
	status := spoilt(13, 1, true)
	for _, c := range []struct {
		name   string
		frame  []byte
		status libproto.Status
		closed bool
	}{
		{"magic", spoilt(0, 'X', false), libproto.StatusBadPacket, true},
		{"version", spoilt(2, 2, false), libproto.StatusBadPacket, true},
		{"unknown flag", spoilt(3, 0x80, true), libproto.StatusBadPacket, true},
		{"encrypted, not agreed", spoilt(3, 1, true), libproto.StatusBadPacket, true},
		{"compressed, not agreed", spoilt(3, 2, true), libproto.StatusBadPacket, true},
		{"header_len", spoilt(5, 33, false), libproto.StatusBadPacket, true},
		{"reserved", spoilt(31, 1, false), libproto.StatusBadPacket, true},
		{"body over the limit", tooLong, libproto.StatusBadPacket, true},
		{"checksum", spoilt(22, 0xAA, false), libproto.StatusChecksumFail, false},
		{"is_response", spoilt(3, 4, true), libproto.StatusBadPacket, false},
		{"status", status, libproto.StatusBadPacket, false},
		{"body that does not parse", sealed(libproto.OpServerStats, 7, libproto.HeartbeatRequest{}), libproto.StatusBadPacket, false},
	} {
		for _, piece := range []int{len(c.frame), 1} {
			t.Run(fmt.Sprintf("%s in pieces of %d", c.name, piece), func(t *testing.T) {
				client := newBench(t).dial(t)
				for part := range slices.Chunk(c.frame, piece) {
					client.send(part)
				}
				client.expect(libproto.OpServerStats, 7, c.status)
				if c.closed {
					client.expectClosed()
					return
				}
				client.send(sealed(libproto.OpServerStats, 8, libproto.Empty{}))
				client.expect(libproto.OpServerStats, 8, libproto.StatusOK)
			})
		}
	}
}

func TestFourthChecksumFailureCloses(t *testing.T) {
	b := newBench(t)
	c := b.dial(t)
	bad := spoilt(22, 0xAA, false)
	c.send(slices.Concat(bad, bad, bad, bad, bad))
	for range libproto.ChecksumFaultsMax {
		c.expect(libproto.OpServerStats, 7, libproto.StatusChecksumFail)
	}
	c.expectClosed()
	b.mu.Lock()
	defer b.mu.Unlock()
	counted := b.segment.MetricsOf(1)
	if n := counted.Counters[shmstore.CounterChecksumFailures]; n != libproto.ChecksumFaultsMax {
		t.Errorf("%d checksum failures counted", n)
	}
}

func TestPipelinedRequestsAreAllAnswered(t *testing.T) {
	c := newBench(t).dial(t)
	const n = 200
	var all []byte
	for i := range uint64(n) {
		all = append(all, sealed(libproto.OpServerStats, i, libproto.Empty{})...)
	}
	c.send(all)
	for i := range uint64(n) {
		c.expect(libproto.OpServerStats, i, libproto.StatusOK)
	}
}

func TestConnectionsBeyondTheLimitWait(t *testing.T) {
	b := newBench(t)
	served := make([]*client, connectionsMax)
	for i := range served {
		served[i] = b.dial(t)
		served[i].send(sealed(libproto.OpServerStats, 1, libproto.Empty{}))
		served[i].expect(libproto.OpServerStats, 1, libproto.StatusOK)
	}
	late := b.dial(t)
	late.send(sealed(libproto.OpServerStats, 2, libproto.Empty{}))
	check(t, late.SetReadDeadline(time.Now().Add(50*time.Millisecond)))
	if frame, err := late.next(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("got %+v, %v: connection %d was served", frame.Header, err, connectionsMax+1)
	}
	check(t, late.SetReadDeadline(time.Now().Add(10*time.Second)))
	served[0].Close()
	late.expect(libproto.OpServerStats, 2, libproto.StatusOK)
}

func TestCloseEndsConnectionsAndRemovesTheSocket(t *testing.T) {
	b := newBench(t)
	c := b.dial(t)
	c.send(sealed(libproto.OpServerStats, 1, libproto.Empty{}))
	c.expect(libproto.OpServerStats, 1, libproto.StatusOK)
	b.server.Close()
	c.expectClosed()
	if _, err := os.Lstat(b.path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("socket left: %v", err)
	}
}

func TestSocketMode(t *testing.T) {
	b := newBench(t)
	info, err := os.Stat(b.path)
	check(t, err)
	if info.Mode() != os.ModeSocket|0o600 {
		t.Errorf("mode %v", info.Mode())
	}
}

func TestStaleSocketIsReplacedAndNothingElse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "admin.sock")
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	check(t, err)
	stale.SetUnlinkOnClose(false)
	check(t, stale.Close())
	b := newBench(t)
	b.path = path
	b.listen(t, path)
	b.dial(t)

	file := filepath.Join(t.TempDir(), "admin.sock")
	check(t, os.WriteFile(file, []byte("keep me"), 0o600))
	if _, err := Listen(file, Backend{}, b.server.log); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("a file in the way: %v", err)
	}
	if kept, _ := os.ReadFile(file); string(kept) != "keep me" {
		t.Error("the file in the way was harmed")
	}
}

// TestStrangerIsTurnedAway opens the socket's mode up and connects as another user.
func TestStrangerIsTurnedAway(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can become another user")
	}
	folder, err := os.MkdirTemp("", "admin")
	check(t, err)
	t.Cleanup(func() { os.RemoveAll(folder) })
	check(t, os.Chmod(folder, 0o755))
	b := newBench(t)
	path := filepath.Join(folder, "admin.sock")
	b.listen(t, path)
	check(t, os.Chmod(path, 0o666))
	stranger := exec.Command("/proc/self/exe")
	stranger.Env = []string{strangerVariable + "=" + path, "GORACE=atexit_sleep_ms=0"}
	stranger.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := stranger.CombinedOutput()
	if err != nil || string(out) != "ERR_UNAUTHORIZED, then EOF" {
		t.Errorf("the stranger saw %q, %v", out, err)
	}
}

// strangerMain asks for the statistics and says what came back.
func strangerMain(path string) int {
	conn, err := net.Dial("unix", path)
	if err != nil {
		fmt.Print(err)
		return 1
	}
	_, _ = conn.Write(sealed(libproto.OpServerStats, 1, libproto.Empty{}))
	answer, err := io.ReadAll(conn)
	if err != nil {
		fmt.Print(err)
		return 1
	}
	decoder := libproto.Decoder{BodyLenMax: 1 << 16}
	frame, _, _ := decoder.Next(answer)
	fmt.Printf("%v, then EOF", frame.Status)
	return 0
}
