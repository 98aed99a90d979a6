package libproto

import (
	"bytes"
	"slices"
	"testing"
)

// The corpora under testdata/fuzz began as the golden frames; plain `go test` runs them. To search on:
//
//	go test -run '^$' -fuzz FuzzHeader -fuzztime 1m ./libproto

// Whatever the bytes, Next keeps to its contract; and what it accepts is what the encoder makes of the same fields.
func FuzzHeader(f *testing.F) {
	f.Fuzz(func(t *testing.T, buf []byte, bodyLenMax uint32, agreed byte) {
		d := Decoder{BodyLenMax: bodyLenMax, Agreed: Flags(agreed)}
		frame, n, err := d.Next(buf)
		switch {
		case err == nil && n > 0:
			checkEncodesTo(t, frame, buf[:n])
		case err == ErrChecksum:
			mended := bytes.Clone(buf[:n])
			Seal(mended)
			if frame, n, err = d.Next(mended); err != nil || n != len(mended) {
				t.Fatalf("with the right checksum: %d of %d bytes, %v", n, len(mended), err)
			}
			checkEncodesTo(t, frame, mended)
		case n != 0 || frame.Body != nil || err != nil && !IsFatal(err):
			t.Fatalf("%+v, %d, %v", frame, n, err)
		case err != nil && len(buf) < HeaderLen:
			t.Fatalf("%v from %d bytes", err, len(buf))
		}
	})
}

func checkEncodesTo(t *testing.T, frame Frame, wire []byte) {
	t.Helper()
	again := append(AppendHeader(nil, frame.Header), frame.Body...)
	Seal(again)
	if !bytes.Equal(again, wire) {
		t.Fatalf("encoded again:\n%x, was\n%x", again, wire)
	}
}

// A body that decodes has one encoding: the one that was decoded.
func FuzzBody(f *testing.F) {
	for _, b := range everyBody() {
		f.Add(uint16(b.header.Op), byte(b.header.Flags), uint16(b.header.Status), b.new().AppendTo(nil))
	}
	f.Fuzz(func(t *testing.T, op uint16, flags byte, status uint16, wire []byte) {
		body := newBodyFor(Header{Op: Opcode(op), Flags: Flags(flags), Status: Status(status)})
		if body == nil || body.Decode(wire) != nil {
			return
		}
		if again := body.AppendTo(nil); !bytes.Equal(again, wire) {
			t.Fatalf("%+v: encoded again:\n%x, was\n%x", body, again, wire)
		}
	})
}

// event is what Next reported at one place of a stream.
type event struct {
	at, n int
	err   error
}

// A stream yields the same frames and faults at the same places, however it is cut into pieces; and a fault of a
// header is not kept back for bytes that have yet to come.
func FuzzStream(f *testing.F) {
	f.Fuzz(func(t *testing.T, stream, cuts []byte) {
		d := Decoder{BodyLenMax: 256, Agreed: FlagCompressed}
		whole := feed(&d, stream, nil)
		if got := feed(&d, stream, cuts); !slices.Equal(got, whole) {
			t.Fatalf("in pieces %+v, whole %+v", got, whole)
		}
		if last := len(whole) - 1; last >= 0 && IsFatal(whole[last].err) {
			end := whole[last].at + HeaderLen
			if got := feed(&d, stream[:end:end], nil); !slices.Equal(got, whole) {
				t.Fatalf("without the bytes behind the header: %+v, with them %+v", got, whole)
			}
		}
	})
}

// feed gives d the stream in pieces of 1 … 256 bytes as cuts says, over and over; whole if cuts is empty. Each slice
// that d sees ends where what has arrived ends, its capacity too.
func feed(d *Decoder, stream, cuts []byte) (events []event) {
	at, have := 0, 0
	for piece := 0; have < len(stream); piece++ {
		next := len(stream)
		if len(cuts) > 0 {
			next = have + 1 + int(cuts[piece%len(cuts)])
		}
		have = min(next, len(stream))
		for {
			_, n, err := d.Next(stream[at:have:have])
			if n == 0 && err == nil {
				break
			}
			events = append(events, event{at, n, err})
			if n == 0 {
				return events
			}
			at += n
		}
	}
	return events
}
