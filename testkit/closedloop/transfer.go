package closedloop

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"tradechat.internal/libproto"
	"tradechat.internal/testkit/session"
)

// The part of a response's header that repeats the request's: opcode, status (OK is a request's 0) and req_id. Responses may come
// in another order than the requests.
const (
	echoedFrom = 10
	reqIDAt    = 14
	echoedTo   = 22
)

// underWayMax is how many TRANSFERs of a connection can be told apart; an open loop may have more under way than a window. It is a
// power of two.
const underWayMax = 1 << 14

// RequestLen and ResponseLen are the lengths of a TRANSFER and of its answer, in bytes.
var (
	RequestLen  = len(appendTransfer(nil, 0, 0))
	ResponseLen = len(libproto.AppendFrame(nil, libproto.Header{}, libproto.TransferResponse{}))
)

// expected is what an answer repeats before the req_id.
var expected = appendTransfer(nil, 0, 0)[echoedFrom:reqIDAt]

// Transfer sends TRANSFERs of the least amount to one user. A server that echoes the request answers it as well.
type Transfer struct {
	to       uint32
	reqID    uint64
	underWay [underWayMax / 64]uint64 // a bit for each req_id, modulo
	matched  []Answer
}

// NewTransfer makes the Exchange of a connection.
func NewTransfer(toUserID uint32) *Transfer { return &Transfer{to: toUserID} }

func appendTransfer(dst []byte, to uint32, reqID uint64) []byte {
	start := len(dst)
	dst = libproto.AppendHeader(dst, libproto.Header{Op: libproto.OpTransfer, ReqID: reqID})
	dst = libproto.TransferRequest{ToUserID: to, Amount: 1}.AppendTo(dst)
	libproto.Seal(dst[start:])
	return dst
}

// AppendRequest adds a TRANSFER.
func (t *Transfer) AppendRequest(dst []byte) []byte {
	t.reqID++
	word, bit := t.place(t.reqID)
	*word |= bit
	return appendTransfer(dst, t.to, t.reqID)
}

func (t *Transfer) place(reqID uint64) (word *uint64, bit uint64) {
	at := reqID % underWayMax
	return &t.underWay[at/64], 1 << (at % 64)
}

// Answers takes responses with status OK, each to a request that had none yet.
func (t *Transfer) Answers(in []byte) (used, answers int, err error) {
	t.matched = t.matched[:0]
	for ; len(in)-used >= echoedTo; used, answers = used+ResponseLen, answers+1 {
		response := in[used:]
		reqID := binary.BigEndian.Uint64(response[reqIDAt:])
		word, bit := t.place(reqID)
		if t.reqID-reqID >= underWayMax || *word&bit == 0 || !bytes.Equal(response[echoedFrom:reqIDAt], expected) {
			return used, answers, t.wrong(response)
		}
		if len(response) < ResponseLen {
			break
		}
		*word &^= bit
		t.matched = append(t.matched, Answer{Request: reqID})
	}
	return used, answers, nil
}

// Matched tells the answers apart by req_id. None is a refusal: that is a wrong answer.
func (t *Transfer) Matched() []Answer { return t.matched }

// wrong says what came that answers no request under way.
func (t *Transfer) wrong(response []byte) error {
	decoder := libproto.Decoder{BodyLenMax: libproto.BodyLenMaxDefault}
	f, _, _ := decoder.Next(response) // whatever can be read of it
	return fmt.Errorf("%w to TRANSFERs up to %d: %v %v, req_id %d %s",
		ErrAnswer, t.reqID, f.Op, f.Status, f.ReqID, session.Detail(f.Body))
}
