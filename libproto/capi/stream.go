//go:build cgo

package capi

// #include "private.h"
import "C"

import (
	"sync"

	"tradechat.internal/capi/boundary"
	"tradechat.internal/libproto"
)

// streams are the decoders that C has.
var streams = boundary.Table[stream]{Tag: boundary.TagDecoder, Most: C.TC_PROTO_DECODERS_MAX}

// stream is a tc_proto_decoder: what has arrived and was not taken out.
type stream struct {
	mu      sync.Mutex
	decoder libproto.Decoder
	buf     []byte
	start   int // of what was not taken out
}

func (s *stream) setRules(d libproto.Decoder) C.int {
	if d.BodyLenMax > C.TC_PROTO_BODY_LEN_MAX_DECODER {
		return C.TC_PROTO_E_ARGUMENT
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.decoder = d
	return C.TC_PROTO_OK
}

func (s *stream) feed(data []byte) C.int {
	s.mu.Lock()
	defer s.mu.Unlock()
	most := libproto.HeaderLen + int(s.decoder.BodyLenMax) + C.TC_PROTO_FEED_MAX
	if len(data) > C.TC_PROTO_FEED_MAX || s.pending()+len(data) > most {
		return C.TC_PROTO_E_LIMIT
	}
	if s.start > 0 {
		s.buf = s.buf[:copy(s.buf, s.buf[s.start:])]
		s.start = 0
	}
	s.buf = append(s.buf, data...)
	return C.TC_PROTO_OK
}

// next takes a frame out and copies its body to the caller's memory: 1, or 0 when more is needed.
func (s *stream) next(frame *C.tc_proto_frame, body []byte) C.int {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, n, err := s.decoder.Next(s.buf[s.start:])
	result := resultOf(err)
	if n == 0 {
		f.Body = nil
		putFrame(frame, &f, result)
		return result
	}
	if len(f.Body) > len(body) {
		f.Body = nil
		putFrame(frame, &f, result)
		return C.TC_PROTO_E_SHORT
	}
	f.Body = body[:copy(body, f.Body)]
	putFrame(frame, &f, result)
	s.start += n
	return 1
}

func (s *stream) pending() int { return len(s.buf) - s.start }
