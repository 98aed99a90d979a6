package clib

import (
	"bytes"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"tradechat.internal/libproto"
)

// BenchmarkC measures calls from C, within the C program, beside the same work in Go and written in C by hand. All are about
// TRANSFER frames of 44 bytes, checksums included, in nanoseconds of processor time a frame.
//
//	encode      header, body and checksum, one call
//	header      a header alone
//	body        the body of a frame that is decoded
//	batch-N     frames and checksums, one call for N of them; frames-N by hand
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
	inGo(b, "encode", func(n int) {
		for i := range uint64(n) {
			buf = libproto.AppendHeader(buf[:0], libproto.Header{Op: libproto.OpTransfer, ReqID: i})
			buf = libproto.TransferRequest{ToUserID: 9, Amount: i}.AppendTo(buf)
			libproto.Seal(buf)
		}
	})
	var body libproto.TransferRequest
	inGo(b, "body", func(n int) {
		for range n {
			if err := body.Decode(buf[libproto.HeaderLen:]); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, many := range []int{1, 16, 256} {
		stream, frames := bytes.Repeat(buf, many), make([]libproto.Frame, many)
		inGo(b, fmt.Sprintf("batch-%d", many), func(n int) {
			for done := 0; done < n; done += many {
				if decoded := decodeAll(stream, frames); decoded != many {
					b.Fatal(decoded)
				}
			}
		})
	}
}

// decodeAll is what tc_proto_decode_frames does.
func decodeAll(stream []byte, frames []libproto.Frame) (count int) {
	decoder := libproto.Decoder{BodyLenMax: libproto.BodyLenMaxDefault}
	for count < len(frames) {
		f, used, err := decoder.Next(stream)
		if err != nil || used == 0 {
			return count
		}
		frames[count], stream = f, stream[used:]
		count++
	}
	return count
}

// inGo measures as the C program does: by the thread's processor time.
func inGo(b *testing.B, name string, f func(n int)) {
	b.Run(name, func(b *testing.B) {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		start := threadTime(b)
		f(b.N)
		b.ReportMetric(float64(threadTime(b)-start)/float64(b.N), "ns/op")
	})
}

func threadTime(b *testing.B) int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		b.Fatal(err)
	}
	return t.Nano()
}
