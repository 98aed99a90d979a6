package libproto

// Body is what every body can do: append its encoding to dst. That does not allocate while dst has room, and panics
// when a field or a list is longer than its u16 length can say. Text is not checked; ValidText does that.
type Body interface {
	AppendTo(dst []byte) []byte
}

// DecodableBody is what a pointer to every body can do besides: take apart a whole body that was received. Its []byte
// fields then alias that body; lists go into the capacity that the struct already has, so that a reused one allocates
// nothing. The errors are ErrShortBody, ErrTrailing, ErrUTF8, ErrNUL, ErrLength, ErrCount and ErrBool; after one, the
// struct's contents mean nothing.
type DecodableBody interface {
	Body
	Decode(body []byte) error
}

// Empty is the body of a frame whose header says all.
type Empty struct{}

func (b Empty) AppendTo(dst []byte) []byte { return dst }

func (b *Empty) Decode(body []byte) error {
	c := cursor{rest: body}
	return c.end()
}

// ErrorBody is the body of every response whose status is not StatusOK.
type ErrorBody struct {
	RetryAfterMs uint32 // how long to wait before trying again; 0: nothing is said
	Detail       []byte // str, for a person; may be empty
}

func (b ErrorBody) AppendTo(dst []byte) []byte {
	return appendBytes(be.AppendUint32(dst, b.RetryAfterMs), b.Detail)
}

func (b *ErrorBody) Decode(body []byte) error {
	c := cursor{rest: body}
	*b = ErrorBody{RetryAfterMs: c.u32(), Detail: c.str()}
	return c.end()
}
