package libproto_test

import (
	"bytes"
	"fmt"

	"tradechat.internal/libproto"
)

// A frame is appended to a buffer in three steps, so that one buffer can take many frames and one write send them.
func ExampleSeal() {
	var buf []byte
	for _, id := range []uint64{7, 8} {
		start := len(buf)
		buf = libproto.AppendHeader(buf, libproto.Header{Op: libproto.OpTransfer, ReqID: id})
		buf = libproto.TransferRequest{ToUserID: 9, Amount: 250}.AppendTo(buf)
		libproto.Seal(buf[start:])
	}
	fmt.Printf("%d bytes\n%x\n", len(buf), buf[:libproto.HeaderLen+12])
	// Output:
	// 88 bytes
	// 4e53010000200000000c020300000000000000000007b58fca470000000000000000000900000000000000fa
}

// Whatever has arrived goes to Next. It consumes whole frames, and what is left waits for more bytes.
func ExampleDecoder_Next() {
	var stream []byte
	for id := range uint64(3) {
		stream = libproto.AppendFrame(stream, libproto.Header{Op: libproto.OpDeposit, ReqID: id}, libproto.DepositRequest{Amount: 100 * (id + 1)})
	}
	arrived := stream[:len(stream)-5]

	decoder := libproto.Decoder{BodyLenMax: libproto.BodyLenMaxDefault}
	for {
		frame, n, err := decoder.Next(arrived)
		if libproto.IsFatal(err) {
			fmt.Println("close the connection:", err)
			return
		}
		if n == 0 {
			break
		}
		arrived = arrived[n:]
		if err != nil {
			fmt.Println("dropped:", err)
			continue
		}
		var body libproto.DepositRequest
		if err := body.Decode(frame.Body); err != nil {
			fmt.Println("bad packet:", err)
			continue
		}
		fmt.Println(frame.Op, frame.ReqID, body.Amount)
	}
	fmt.Println(len(arrived), "bytes wait for the rest of their frame")
	// Output:
	// DEPOSIT 0 100
	// DEPOSIT 1 200
	// 35 bytes wait for the rest of their frame
}

// A response that is not OK has an ErrorBody, whatever its opcode.
func ExampleErrorBody() {
	response := libproto.AppendFrame(nil,
		libproto.Header{Op: libproto.OpTransfer, ReqID: 7, Flags: libproto.FlagResponse, Status: libproto.StatusServerBusy},
		libproto.ErrorBody{RetryAfterMs: 20, Detail: []byte("the log is full")})

	decoder := libproto.Decoder{BodyLenMax: libproto.BodyLenMaxDefault}
	frame, _, err := decoder.Next(response)
	if err != nil {
		fmt.Println(err)
		return
	}
	var fault libproto.ErrorBody
	if err := fault.Decode(frame.Body); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%v: %v, %s; again in %d ms\n", frame.Op, frame.Status, fault.Detail, fault.RetryAfterMs)
	// Output:
	// TRANSFER: ERR_SERVER_BUSY, the log is full; again in 20 ms
}

// Both sides prove what they know without saying it: the client its password, the server the keys made of it.
func ExampleProof() {
	realmSalt := [libproto.SaltLen]byte{1, 2, 3}
	keys, err := libproto.DeriveKeys("correct horse", "alice", realmSalt, libproto.KDFIterationsMin)
	if err != nil {
		fmt.Println(err)
		return
	}
	stored, server := keys.Stored, keys.Server // what REGISTER brings to the server

	var clientNonce, serverNonce, plain [libproto.KeyLen]byte // the nonces of HELLO, random in earnest; no encryption
	name := []byte("alice")
	proof := libproto.Proof(keys, clientNonce, serverNonce, plain, name)

	fmt.Println("client is alice:", libproto.VerifyProof(stored, proof, clientNonce, serverNonce, plain, name))

	signature := libproto.ServerSignature(server, clientNonce, serverNonce, plain, name)
	want := libproto.ServerSignature(keys.Server, clientNonce, serverNonce, plain, name)
	fmt.Println("server knows alice:", bytes.Equal(signature[:], want[:]))
	// Output:
	// client is alice: true
	// server knows alice: true
}

// A generic tool finds a body's type from the header.
func ExampleNewRequest() {
	for _, op := range []libproto.Opcode{libproto.OpTransfer, libproto.OpChatBroadcast, 0x7777} {
		fmt.Printf("%v: %T\n", op, libproto.NewRequest(op))
	}
	// Output:
	// TRANSFER: *libproto.TransferRequest
	// CHAT_BROADCAST: <nil>
	// 0x7777: <nil>
}
