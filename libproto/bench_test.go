package libproto

import "testing"

// Run with: go test -run '^$' -bench . -benchmem ./libproto

func batch(legs int) TransferBatchRequest {
	b := TransferBatchRequest{Legs: make([]TransferLeg, legs)}
	for i := range b.Legs {
		b.Legs[i] = TransferLeg{ToUserID: uint32(i + 1), Amount: uint64(i + 100)}
	}
	return b
}

func broadcast(messageLen int) ChatBroadcast {
	message := make([]byte, messageLen)
	for i := range message {
		message[i] = 'a' + byte(i%26)
	}
	return ChatBroadcast{RoomID: 1, RoomSeq: 42, TimeNs: 1 << 60, FromUserID: 7, FromName: []byte("alice"), Message: message}
}

func BenchmarkEncodeTransfer(b *testing.B) {
	buf := make([]byte, 0, 64)
	var id uint64
	for b.Loop() {
		id++
		buf = AppendHeader(buf[:0], Header{Op: OpTransfer, ReqID: id})
		buf = TransferRequest{ToUserID: 9, Amount: id}.AppendTo(buf)
		Seal(buf)
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(buf)))
}

func BenchmarkDecodeTransfer(b *testing.B) {
	frame := AppendFrame(nil, Header{Op: OpTransfer, ReqID: 7}, TransferRequest{ToUserID: 9, Amount: 250})
	d := Decoder{BodyLenMax: BodyLenMaxDefault}
	var body TransferRequest
	for b.Loop() {
		f, n, err := d.Next(frame)
		if err != nil || n != len(frame) || body.Decode(f.Body) != nil {
			b.Fatal(n, err)
		}
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(frame)))
}

func BenchmarkEncodeBatch100(b *testing.B) {
	benchmarkEncode(b, Header{Op: OpTransferBatch}, batch(100))
}

func BenchmarkDecodeBatch100(b *testing.B) {
	benchmarkDecode(b, AppendFrame(nil, Header{Op: OpTransferBatch}, batch(100)), new(TransferBatchRequest))
}

func BenchmarkEncodeBroadcast64(b *testing.B) {
	benchmarkEncode(b, Header{Op: OpChatBroadcast}, broadcast(64))
}

func BenchmarkDecodeBroadcast64(b *testing.B) {
	benchmarkDecode(b, AppendFrame(nil, Header{Op: OpChatBroadcast}, broadcast(64)), new(ChatBroadcast))
}

func BenchmarkEncodeBroadcast4096(b *testing.B) {
	benchmarkEncode(b, Header{Op: OpChatBroadcast}, broadcast(4096))
}

func BenchmarkDecodeBroadcast4096(b *testing.B) {
	benchmarkDecode(b, AppendFrame(nil, Header{Op: OpChatBroadcast}, broadcast(4096)), new(ChatBroadcast))
}

// benchmarkEncode passes the body as an interface once, outside the loop: the call through it is part of the figure.
func benchmarkEncode(b *testing.B, h Header, body Body) {
	buf := AppendFrame(nil, h, body)
	for b.Loop() {
		buf = AppendFrame(buf[:0], h, body)
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(buf)))
}

func benchmarkDecode(b *testing.B, frame []byte, body DecodableBody) {
	d := Decoder{BodyLenMax: BodyLenMaxDefault}
	for b.Loop() {
		f, n, err := d.Next(frame)
		if err != nil || n != len(frame) || body.Decode(f.Body) != nil {
			b.Fatal(n, err)
		}
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(frame)))
}
