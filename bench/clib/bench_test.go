package clib

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"tradechat.internal/libproto"
)

// BenchmarkC measures calls from C, within the C program, beside the same work in Go and written in C by hand. All are about
// TRANSFER frames of 44 bytes, checksums included, in nanoseconds a frame.
//
//	encode          header, body and checksum, one call
//	decode-N        frames and checksums, one call for N of them (batch-N of the C program)
//	header          a header alone
//	body            the body of a frame that is decoded
func BenchmarkC(b *testing.B) {
	program := compile(b, c11, "bench.c", append(archive(libs(b), "proto"), "-O2")...)
	for _, kind := range []string{"encode", "header", "body", "batch-1", "batch-16", "batch-256"} {
		b.Run(kind, func(b *testing.B) { inProgram(b, program, kind) })
	}
}

// BenchmarkHand is the decoding of a header, and of whole frames, written in C.
func BenchmarkHand(b *testing.B) {
	program := compile(b, c11, "bench.c", append(archive(libs(b), "proto"), "-O2")...)
	for _, kind := range []string{"hand-header", "hand-frames-1", "hand-frames-16", "hand-frames-256"} {
		b.Run(strings.TrimPrefix(kind, "hand-"), func(b *testing.B) { inProgram(b, program, kind) })
	}
}

// inProgram lets the C program do b.N operations, and reports what it has measured.
func inProgram(b *testing.B, program, kind string) {
	out := run(b, command(b, program, kind, strconv.Itoa(b.N)))
	ns, err := strconv.ParseFloat(strings.TrimSpace(out), 64)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(ns/float64(b.N), "ns/op")
}

// BenchmarkGo is the same in Go.
func BenchmarkGo(b *testing.B) {
	buf := make([]byte, 0, 64)
	b.Run("encode", func(b *testing.B) {
		for i := range uint64(b.N) {
			buf = libproto.AppendHeader(buf[:0], libproto.Header{Op: libproto.OpTransfer, ReqID: i})
			buf = libproto.TransferRequest{ToUserID: 9, Amount: i}.AppendTo(buf)
			libproto.Seal(buf)
		}
	})
	b.Run("body", func(b *testing.B) {
		var body libproto.TransferRequest
		for b.Loop() {
			if err := body.Decode(buf[libproto.HeaderLen:]); err != nil {
				b.Fatal(err)
			}
		}
	})
	decoder := libproto.Decoder{BodyLenMax: libproto.BodyLenMaxDefault}
	for _, n := range []int{1, 16, 256} {
		stream := []byte(strings.Repeat(string(buf), n))
		frames := make([]libproto.Frame, n)
		b.Run(fmt.Sprintf("batch-%d", n), func(b *testing.B) {
			for done := 0; done < b.N; done += n {
				rest := stream
				for i := range frames {
					f, used, err := decoder.Next(rest)
					if err != nil || used == 0 {
						b.Fatal(used, err)
					}
					frames[i], rest = f, rest[used:]
				}
			}
		})
	}
}
