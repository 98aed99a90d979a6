package openloop

import (
	"fmt"

	"tradechat.internal/libproto"
	"tradechat.internal/testkit/closedloop"
	"tradechat.internal/testkit/session"
)

// Request appends the request that is to be made under this req_id.
type Request func(dst []byte, reqID uint64) []byte

// Asker makes any requests to tradechat and tells their answers apart by req_id. Pushes are passed over; what is refused has been
// answered. That an answer is to a request under way, the Loop looks after.
type Asker struct {
	request Request
	reqID   uint64
	matched []closedloop.Answer
}

// NewAsker makes the Exchange of a connection.
func NewAsker(request Request) *Asker { return &Asker{request: request} }

// AppendRequest adds what the Request makes.
func (a *Asker) AppendRequest(dst []byte) []byte {
	a.reqID++
	return a.request(dst, a.reqID)
}

// Answers takes all frames and counts the responses.
func (a *Asker) Answers(in []byte) (used, answers int, err error) {
	a.matched = a.matched[:0]
	for decoder := (libproto.Decoder{BodyLenMax: libproto.BodyLenMaxDefault}); ; {
		f, n, err := decoder.Next(in[used:])
		if err != nil {
			return used, len(a.matched), fmt.Errorf("%w: %w", closedloop.ErrAnswer, err)
		}
		if n == 0 {
			return used, len(a.matched), nil
		}
		used += n
		if f.Flags&libproto.FlagResponse != 0 {
			a.matched = append(a.matched, closedloop.Answer{Request: f.ReqID, Refusal: refusal(f)})
		}
	}
}

// Matched is what Answers has counted.
func (a *Asker) Matched() []closedloop.Answer { return a.matched }

// refusal is nil for an answer that is OK.
func refusal(f libproto.Frame) error {
	if f.Status == libproto.StatusOK {
		return nil
	}
	return fmt.Errorf("%w: %v: %v %s", closedloop.ErrAnswer, f.Op, f.Status, session.Detail(f.Body))
}
