package closedloop

// Exchange is the client's side of a protocol on one connection: it makes requests and knows their answers.
type Exchange interface {
	// AppendRequest adds the next request to dst. An Exchange that only listens adds nothing: somebody else's request has an
	// answer here.
	AppendRequest(dst []byte) []byte

	// Answers takes what is whole off the front of in: it returns how many bytes that were, and how many requests they answer. An
	// answer that is none to what was asked is an error.
	Answers(in []byte) (used, answers int, err error)
}

// Matcher is an Exchange whose answers may come in another order than the requests. Those of any other Exchange come in order.
type Matcher interface {
	Exchange

	// Matched is what the last call of Answers has counted, one Answer each, in the order in which they came. It is good until
	// the next call.
	Matched() []Answer
}

// Answer is one answer and its request.
type Answer struct {
	Request uint64 // the number of its AppendRequest, from 1 on
	Refusal error  // nil: what was asked has been done
}
