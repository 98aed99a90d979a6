package worker

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"tradechat.internal/libproto"
)

// peer is a client that is nothing but a socket and the codec.
type peer struct {
	t       testing.TB
	socket  *net.TCPConn
	decoder libproto.Decoder
	in      []byte
	pushes  []libproto.Frame // that came while an answer was waited for
	reqID   uint64
	user    uint32
	session uint64
}

func dial(t testing.TB, addr string) *peer {
	t.Helper()
	socket, err := net.DialTimeout("tcp", addr, patience)
	must(t, err)
	t.Cleanup(func() { _ = socket.Close() })
	return &peer{t: t, socket: socket.(*net.TCPConn), decoder: libproto.Decoder{BodyLenMax: 1 << 20}}
}

// request encodes a request with the next req_id.
func (p *peer) request(op libproto.Opcode, b libproto.Body) []byte {
	p.reqID++
	return libproto.AppendFrame(nil, libproto.Header{Op: op, ReqID: p.reqID}, b)
}

func (p *peer) write(b []byte) {
	p.t.Helper()
	must(p.t, p.socket.SetWriteDeadline(time.Now().Add(patience)))
	_, err := p.socket.Write(b)
	must(p.t, err)
}

// next returns the next frame; io.EOF when the server has ended the connection.
func (p *peer) next() (libproto.Frame, error) {
	for {
		f, n, err := p.decoder.Next(p.in)
		if err != nil {
			return f, err
		}
		if n > 0 {
			f.Body = append([]byte(nil), f.Body...)
			p.in = p.in[n:]
			return f, nil
		}
		if err := p.fill(); err != nil {
			return f, err
		}
	}
}

func (p *peer) fill() error {
	if err := p.socket.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	var chunk [64 << 10]byte
	n, err := p.socket.Read(chunk[:])
	p.in = append(p.in, chunk[:n]...)
	if n > 0 {
		return nil
	}
	if err == io.EOF && len(p.in) > 0 {
		return io.ErrUnexpectedEOF
	}
	return err
}

// read is next for what must come.
func (p *peer) read() libproto.Frame {
	p.t.Helper()
	f, err := p.next()
	if err != nil {
		p.t.Fatalf("no frame: %v", err)
	}
	return f
}

// response returns the next response; pushes that come before it are kept for push.
func (p *peer) response() libproto.Frame {
	p.t.Helper()
	for {
		f := p.read()
		if f.Flags&libproto.FlagResponse != 0 {
			return f
		}
		p.pushes = append(p.pushes, f)
	}
}

// push returns the next push; a response is a mistake.
func (p *peer) push() libproto.Frame {
	p.t.Helper()
	if len(p.pushes) > 0 {
		f := p.pushes[0]
		p.pushes = p.pushes[1:]
		return f
	}
	f := p.read()
	if f.Flags&libproto.FlagResponse != 0 || f.ReqID != 0 {
		p.t.Fatalf("a push was expected, not the response %v", f.Header)
	}
	return f
}

// call sends a request and returns its response.
func (p *peer) call(op libproto.Opcode, b libproto.Body) libproto.Frame {
	p.t.Helper()
	p.write(p.request(op, b))
	return p.answered(op, p.reqID)
}

// answered returns the next response, which must be to this request.
func (p *peer) answered(op libproto.Opcode, reqID uint64) libproto.Frame {
	p.t.Helper()
	f := p.response()
	if f.Op != op || f.ReqID != reqID {
		p.t.Fatalf("response to %v %d, not to %v %d", f.Op, f.ReqID, op, reqID)
	}
	return f
}

// ask calls and decodes an OK response into b.
func (p *peer) ask(op libproto.Opcode, request libproto.Body, b libproto.DecodableBody) libproto.Frame {
	p.t.Helper()
	f := p.call(op, request)
	decode(p.t, f, b)
	return f
}

// refused calls and checks that the answer is an error with this status.
func (p *peer) refused(want libproto.Status, op libproto.Opcode, b libproto.Body) libproto.ErrorBody {
	p.t.Helper()
	f := p.call(op, b)
	if f.Status != want {
		p.t.Fatalf("%v: status %v, not %v", op, f.Status, want)
	}
	return errorBody(p.t, f)
}

func errorBody(t testing.TB, f libproto.Frame) (e libproto.ErrorBody) {
	t.Helper()
	if err := e.Decode(f.Body); err != nil {
		t.Fatalf("%v %v: error body: %v", f.Op, f.Status, err)
	}
	return e
}

func decode(t testing.TB, f libproto.Frame, b libproto.DecodableBody) {
	t.Helper()
	if f.Status != libproto.StatusOK {
		t.Fatalf("%v: %v: %s", f.Op, f.Status, errorBody(t, f).Detail)
	}
	if err := b.Decode(f.Body); err != nil {
		t.Fatalf("%v: %v", f.Op, err)
	}
}

// closed checks that the server ends the connection in order, with nothing more to say.
func (p *peer) closed() {
	p.t.Helper()
	if f, err := p.next(); !errors.Is(err, io.EOF) {
		p.t.Fatalf("the connection was to be closed; got %v %v, %v", f.Op, f.Status, err)
	}
}

// goingAway checks that GOING_AWAY comes next, and then the end.
func (p *peer) goingAway(want libproto.GoingAwayReason) {
	p.t.Helper()
	p.wentAway(want)
	p.closed()
}

func (p *peer) wentAway(want libproto.GoingAwayReason) {
	p.t.Helper()
	var g libproto.GoingAway
	f := p.push()
	decode(p.t, f, &g)
	if f.Op != libproto.OpGoingAway || g.Reason != want {
		p.t.Fatalf("%v (%v), not GOING_AWAY (%v)", f.Op, g.Reason, want)
	}
}

var testNonce = [libproto.NonceLen]byte{7, 7, 7}

func (p *peer) hello() (r libproto.HelloResponse) {
	p.t.Helper()
	p.ask(libproto.OpHello, libproto.HelloRequest{
		VersionMin: 1, VersionMax: 1, Capabilities: libproto.CapEncryption | libproto.CapBatch, ClientNonce: testNonce,
	}, &r)
	return r
}

// loginRequest is the LOGIN of a user with testKeys.
func loginRequest(name string, h libproto.HelloResponse) libproto.LoginRequest {
	proof := libproto.Proof(testKeys(name), testNonce, h.ServerNonce, noBinding, []byte(name))
	return libproto.LoginRequest{Username: []byte(name), Proof: proof}
}

func (p *peer) login(name string) (r libproto.LoginResponse) {
	p.t.Helper()
	p.ask(libproto.OpLogin, loginRequest(name, p.hello()), &r)
	p.user, p.session = r.UserID, r.SessionID
	return r
}

// enter connects and logs in.
func (r *running) enter(t testing.TB, name string) *peer {
	t.Helper()
	p := dial(t, r.addr)
	p.login(name)
	return p
}

// join makes the peer a member of a room, without replay.
func (p *peer) join(room uint32) (r libproto.JoinRoomResponse) {
	p.t.Helper()
	p.ask(libproto.OpJoinRoom, libproto.JoinRoomRequest{RoomID: room}, &r)
	return r
}

// say sends a message to a room and returns its place.
func (p *peer) say(room uint32, text string) (r libproto.ChatSendResponse) {
	p.t.Helper()
	p.ask(libproto.OpChatSend, message(room, text), &r)
	return r
}

// message is a CHAT_SEND.
func message(room uint32, text string) libproto.ChatSendRequest {
	return libproto.ChatSendRequest{RoomID: room, Message: []byte(text)}
}

// direct is a DIRECT_SEND.
func direct(to, text string) libproto.DirectSendRequest {
	return libproto.DirectSendRequest{ToUsername: []byte(to), Message: []byte(text)}
}

// heard returns the next push, which must be a message of a room.
func (p *peer) heard() (b libproto.ChatBroadcast) {
	p.t.Helper()
	f := p.push()
	if f.Op != libproto.OpChatBroadcast {
		p.t.Fatalf("%v instead of a message", f.Op)
	}
	decode(p.t, f, &b)
	return b
}
