package libproto

// Frame is one received frame. Body aliases the bytes that were given to Decoder.Next.
type Frame struct {
	Header
	Body []byte
}

// Decoder takes frames off a stream. It keeps nothing between calls: change its fields whenever what was agreed changes
// (after LOGIN, say). The zero Decoder takes frames without bodies only.
type Decoder struct {
	// BodyLenMax is the longest body to accept, in bytes.
	BodyLenMax uint32

	// Agreed says which of FlagEncrypted and FlagCompressed may be set; other bits mean nothing here.
	Agreed Flags
}

// Next takes the first frame off buf, which holds what has arrived and was not consumed yet. It never copies and never
// allocates: f.Body aliases buf.
//
//	n > 0, nil          f is a whole frame; drop n bytes
//	n == 0, nil         more bytes are needed; once the header is there, f.BodyLen says how many
//	n > 0, ErrChecksum  a damaged frame, f says what it seemed to be; drop n bytes and go on
//	n == 0, err         a fault of the header (IsFatal): the stream cannot go on; f.Header holds what was read
//
// A fault of the header, a body over the limit included, is reported as soon as the header is there, without waiting
// for the body.
func (d *Decoder) Next(buf []byte) (f Frame, n int, err error) {
	if len(buf) < HeaderLen {
		return Frame{}, 0, nil
	}
	h := (*[HeaderLen]byte)(buf)
	f.parse(h)
	if err := headerFault(h); err != nil {
		return f, 0, err
	}
	if f.Flags&^(FlagResponse|FlagReplayed|d.Agreed&flagsNegotiated) != 0 {
		return f, 0, ErrFlags
	}
	if f.BodyLen > d.BodyLenMax {
		return f, 0, ErrBodyTooLong
	}
	if uint64(len(buf)-HeaderLen) < uint64(f.BodyLen) {
		return f, 0, nil
	}
	n = HeaderLen + int(f.BodyLen)
	f.Body = buf[HeaderLen:n:n]
	if checksum(h, f.Body) != f.Checksum {
		return f, n, ErrChecksum
	}
	return f, n, nil
}
