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
