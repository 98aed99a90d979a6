package attacks

import (
	"context"
	"math/rand/v2"
	"net"
	"time"

	"tradechat.internal/libproto"
)

const (
	// dripEvery is the pause between two bytes of what comes slowly.
	dripEvery = time.Second

	// stormBytes is what one write of a storm holds, stormWrites how many of them one connection gets: more than the server puts up
	// with, and it goes on when it was told so.
	stormBytes  = 64 << 10
	stormWrites = 8

	// hugeBody is what a length bomb announces beyond every limit.
	hugeBody = 0xFFFF_FFF0

	bodyLenAt = 6 // in a header
)

// silence says nothing.
func silence(_ context.Context, _ *assailant, socket *net.TCPConn) { untilEnded(socket) }

// slowloris sends a HELLO a byte a second; it never becomes whole.
func slowloris(ctx context.Context, a *assailant, socket *net.TCPConn) {
	a.drip(ctx, socket, libproto.AppendFrame(nil, libproto.Header{Op: libproto.OpHello, ReqID: 1}, libproto.HelloRequest{VersionMin: 1, VersionMax: 1}))
}

// drip sends a byte a second until the connection ends, or the last byte was sent and the server then ends it.
func (a *assailant) drip(ctx context.Context, socket *net.TCPConn, b []byte) {
	ended := drained(socket)
	every := time.NewTicker(dripEvery)
	defer every.Stop()
	for len(b) > 0 && a.send(socket, b[:1]) == nil {
		b = b[1:]
		select {
		case <-every.C:
		case <-ended:
			return
		case <-ctx.Done():
			return
		}
	}
	<-ended
}

// lengthBomb is one of three: the largest body that is allowed before LOGIN, a byte a second; the largest after it, all but the last
// byte; and one that is not allowed.
func lengthBomb(ctx context.Context, a *assailant, socket *net.TCPConn) {
	switch a.numbers.Add(1) % 3 {
	case 0:
		frame := announce(libproto.BodyLenMaxBeforeLogin)
		if a.send(socket, frame) == nil {
			a.drip(ctx, socket, make([]byte, libproto.BodyLenMaxBeforeLogin-1))
		}
	case 1:
		if a.login(socket, 0) != nil {
			return
		}
		frame := append(announce(libproto.BodyLenMaxDefault), make([]byte, libproto.BodyLenMaxDefault-1)...)
		if a.send(socket, frame) == nil {
			untilEnded(socket)
		}
	default:
		if a.send(socket, announce(hugeBody)) == nil {
			farewell(socket)
		}
	}
}

// announce is a header without its body.
func announce(bodyLen uint32) []byte {
	frame := libproto.AppendFrame(nil, libproto.Header{Op: libproto.OpChatSend, ReqID: 1}, libproto.Empty{})
	frame[bodyLenAt], frame[bodyLenAt+1] = byte(bodyLen>>24), byte(bodyLen>>16)
	frame[bodyLenAt+2], frame[bodyLenAt+3] = byte(bodyLen>>8), byte(bodyLen)
	return frame
}

// storm writes the same again and again, told to stop or not, and then waits for the end.
func (a *assailant) storm(socket *net.TCPConn, b []byte) {
	_ = socket.SetWriteDeadline(time.Now().Add(farewellMax))
	for range stormWrites {
		if a.send(socket, b) != nil {
			break
		}
	}
	farewell(socket)
}

// checksumStorm sends frames that are well-formed but for their checksums, the longest that are read before LOGIN.
func checksumStorm(_ context.Context, a *assailant, socket *net.TCPConn) {
	a.storm(socket, wrongChecksums)
}

// wrongChecksums are as many of them as one write holds.
var wrongChecksums = repeated(func() []byte {
	frame := announce(libproto.BodyLenMaxBeforeLogin)
	frame = append(frame, make([]byte, libproto.BodyLenMaxBeforeLogin)...)
	libproto.Seal(frame)
	frame[len(frame)-1] ^= 1
	return frame
}())

func repeated(frame []byte) (all []byte) {
	for len(all)+len(frame) <= stormBytes {
		all = append(all, frame...)
	}
	return all
}

// opsBeforeLogin makes requests that need a login, half of the connections after HELLO.
func opsBeforeLogin(_ context.Context, a *assailant, socket *net.TCPConn) {
	if a.numbers.Add(1)%2 == 0 {
		hello := libproto.AppendFrame(nil, libproto.Header{Op: libproto.OpHello, ReqID: 1}, libproto.HelloRequest{VersionMin: 1, VersionMax: 1})
		if a.send(socket, hello) != nil {
			return
		}
	}
	a.storm(socket, transfers)
}

var transfers = repeated(libproto.AppendFrame(nil, libproto.Header{Op: libproto.OpTransfer, ReqID: 1}, libproto.TransferRequest{ToUserID: 1, Amount: 1}))

// garbage sends random bytes, a fixed sequence for each connection of a run.
func garbage(_ context.Context, a *assailant, socket *net.TCPConn) {
	noise := make([]byte, stormBytes)
	random := rand.NewChaCha8([32]byte{byte(a.numbers.Add(1))})
	_, _ = random.Read(noise)
	a.storm(socket, noise)
}

// hitAndRun drops the connection at once, every second time so that the server sees a reset.
func hitAndRun(_ context.Context, a *assailant, socket *net.TCPConn) {
	if a.numbers.Add(1)%2 == 0 {
		_ = socket.SetLinger(0)
	}
}
