package worker

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"tradechat.internal/client"
	"tradechat.internal/libproto"
)

// The sessions in testdata/sessions are what the Go client sent to a worker, recorded between the two:
//
//	client ── frames ──▶ tap ── frames ──▶ worker
//	                      ╰──▶ NAME.hex     a frame a line; "--" begins the second connection
//
// FuzzSession begins with them. After a change of the protocol they are recorded anew:
//
//	go test ./internal/worker -run TestRecordSessions -record

var record = flag.Bool("record", false, "record testdata/sessions anew")

// recordings are the sessions, by name; each client is ann's, and bob is there.
var recordings = map[string]func(*recorder){
	"login": func(r *recorder) {
		_, _, err := r.client.Heartbeat(r.ctx)
		must(r.t, err)
		_, err = r.client.Balance(r.ctx)
		must(r.t, err)
		must(r.t, r.client.Logout(r.ctx))
	},
	"chat": func(r *recorder) {
		room, _, err := r.client.OpenRoom(r.ctx, "tea")
		must(r.t, err)
		_, err = r.client.JoinRoom(r.ctx, room, 10)
		must(r.t, err)
		for _, text := range []string{"hello", "grüß dich", strings.Repeat("long ", 100)} {
			_, err = r.client.SendChat(r.ctx, room, text)
			must(r.t, err)
		}
		_, _, err = r.client.SendDirect(r.ctx, "ann", "to myself")
		must(r.t, err)
		_, err = r.client.RoomHistory(r.ctx, room, 0, 10)
		must(r.t, err)
		_, err = r.client.Who(r.ctx, room, 0, 10)
		must(r.t, err)
		_, err = r.client.Rooms(r.ctx, 0, 10)
		must(r.t, err)
		_, _, err = r.client.LookupUser(r.ctx, "bob")
		must(r.t, err)
		must(r.t, r.client.LeaveRoom(r.ctx, room))
	},
	"money": func(r *recorder) {
		_, err := r.client.Deposit(r.ctx, 1000)
		must(r.t, err)
		_, err = r.client.Withdraw(r.ctx, 10)
		must(r.t, err)
		_, err = r.client.Transfer(r.ctx, r.bob, 250)
		must(r.t, err)
		_, err = r.client.Balance(r.ctx)
		must(r.t, err)
		_, err = r.client.TxnHistory(r.ctx, 0, 10)
		must(r.t, err)
	},
	"batch": func(r *recorder) {
		legs := make([]client.Leg, 20)
		for i := range legs {
			legs[i] = client.Leg{ToUserID: r.bob, AmountMinor: uint64(i + 1)}
		}
		_, _, err := r.client.TransferBatch(r.ctx, legs)
		must(r.t, err)
		_, _, err = r.client.TransferBatch(r.ctx, legs[:1])
		must(r.t, err)
	},
	"resume": func(r *recorder) {
		room, _, err := r.client.OpenRoom(r.ctx, "tea")
		must(r.t, err)
		_, err = r.client.JoinRoom(r.ctx, room, 0)
		must(r.t, err)
		_, err = r.client.Deposit(r.ctx, 5)
		must(r.t, err)
		r.tap.hangUp()
		_, err = r.client.Transfer(r.ctx, r.bob, 5) // on the next connection
		must(r.t, err)
		_, err = r.client.TxnStatus(r.ctx, r.client.Session().ID, 1)
		must(r.t, err)
	},
}

// recorder is a client whose frames are recorded.
type recorder struct {
	t      *testing.T
	ctx    context.Context
	client *client.Client
	tap    *tap
	bob    uint32
}

func (r *recorder) login(user string) {
	_, err := r.client.Login(r.ctx, user, recordedPassword)
	must(r.t, err)
}

const recordedPassword = "correct-horse-battery"

func TestRecordSessions(t *testing.T) {
	if !*record {
		t.Skip("records testdata/sessions anew with -record")
	}
	must(t, os.MkdirAll(recordedFolder, 0o755))
	for name, act := range recordings {
		t.Run(name, func(t *testing.T) {
			c := startCluster(t, nil)
			r := &recorder{t: t, ctx: t.Context(), tap: startTap(t, c.workers[0].addr)}
			for _, user := range []string{"ann", "bob"} { // in the order of recordedUsers
				r.bob = c.addRealUser(user)
			}
			cfg := client.DefaultConfig()
			cfg.Address = r.tap.listener.Addr().String()
			var err error
			r.client, err = client.Dial(r.ctx, cfg)
			must(t, err)
			r.login("ann")
			act(r)
			must(t, r.client.Close())
			r.tap.wait()
			must(t, os.WriteFile(filepath.Join(recordedFolder, name+".hex"), r.tap.text(t), 0o644))
		})
	}
}

// addRealUser makes a user with the keys of recordedPassword.
func (c *cluster) addRealUser(name string) uint32 {
	salt := c.segment.RealmSalt()
	k, err := libproto.DeriveKeys(recordedPassword, name, salt, int(c.config.KDFIterations))
	must(c.t, err)
	id, err := c.master.CreateUser([]byte(name), k.Stored, k.Server)
	must(c.t, err)
	return id
}

// tap passes connections on and keeps what the client sends.
type tap struct {
	listener net.Listener
	server   string
	running  sync.WaitGroup
	mu       sync.Mutex
	open     []net.Conn
	sent     []*bytes.Buffer // by connection
}

func startTap(t *testing.T, server string) *tap {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	p := &tap{listener: listener, server: server}
	p.running.Go(p.accept)
	t.Cleanup(p.wait)
	return p
}

func (p *tap) accept() {
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", p.server)
		if err != nil {
			_ = near.Close()
			return
		}
		sent := new(bytes.Buffer)
		p.mu.Lock()
		p.open, p.sent = append(p.open, near, far), append(p.sent, sent)
		p.mu.Unlock()
		p.running.Go(func() { _, _ = io.Copy(io.MultiWriter(far, sent), near); _ = far.Close() })
		p.running.Go(func() { _, _ = io.Copy(near, far); _ = near.Close() })
	}
}

// hangUp ends the connections that there are.
func (p *tap) hangUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.open {
		_ = c.Close()
	}
	p.open = nil
}

// wait ends everything.
func (p *tap) wait() {
	_ = p.listener.Close()
	p.hangUp()
	p.running.Wait()
}

// text is what was recorded, in the form of the files.
func (p *tap) text(t *testing.T) []byte {
	var out bytes.Buffer
	for i, sent := range p.sent {
		if i > 0 {
			fmt.Fprintln(&out, secondConnection)
		}
		decoder := libproto.Decoder{BodyLenMax: libproto.BodyLenMaxDefault}
		for rest := sent.Bytes(); len(rest) > 0; {
			_, n, err := decoder.Next(rest)
			must(t, err)
			if n == 0 {
				t.Fatalf("%d bytes of a frame that is not whole", len(rest))
			}
			fmt.Fprintln(&out, hex.EncodeToString(rest[:n]))
			rest = rest[n:]
		}
	}
	return out.Bytes()
}

const (
	recordedFolder   = "testdata/sessions"
	secondConnection = "--"
)

// recorded is a session from testdata: the frames of its first and, if there is one, its second connection.
type recorded struct {
	name        string
	connections [2][]byte
	frames      [2]int
}

func recordedSessions(t testing.TB) (all []recorded) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(recordedFolder, "*.hex"))
	must(t, err)
	if len(files) != len(recordings) {
		t.Fatalf("%d files in %s, and %d sessions to record", len(files), recordedFolder, len(recordings))
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		must(t, err)
		r, on := recorded{name: strings.TrimSuffix(filepath.Base(path), ".hex")}, 0
		lines := bufio.NewScanner(bytes.NewReader(text))
		for lines.Scan() {
			if lines.Text() == secondConnection {
				on++
				continue
			}
			frame, err := hex.DecodeString(lines.Text())
			must(t, err)
			r.connections[on], r.frames[on] = append(r.connections[on], frame...), r.frames[on]+1
		}
		must(t, lines.Err())
		all = append(all, r)
	}
	return all
}
