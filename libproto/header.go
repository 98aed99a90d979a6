package libproto

import "strings"

// Magic is what every header begins with: "NS".
const Magic uint16 = 0x4E53

// Version is the protocol's, in every header behind the magic.
const Version = 1

// Flags is the fourth byte of a header.
type Flags uint8

const (
	FlagEncrypted  Flags = 1 << iota // the body is encrypted
	FlagCompressed                   // the body is compressed
	FlagResponse                     // the frame answers the request with the same req_id
	FlagReplayed                     // a response that repeats what was recorded when the request was first run
)

// flagsNegotiated are the flags that may be set only where both sides agreed on them; the others may always be.
const flagsNegotiated = FlagEncrypted | FlagCompressed

var flagNames = []string{"encrypted", "compressed", "is_response", "replayed"}

// String returns the names of the set bits joined by "|", such as "is_response|replayed".
func (f Flags) String() string { return bitNames(flagNames, uint(f)) }

// bitNames joins the names of the set bits by "|"; a bit without a name is "bit(7)".
func bitNames(names []string, bits uint) string {
	var set []string
	for i := uint(0); bits>>i != 0; i++ {
		if bits>>i&1 != 0 {
			set = append(set, nameOf(names, "bit", i))
		}
	}
	return strings.Join(set, "|")
}

// Header is a frame's header without its constant fields.
type Header struct {
	BodyLen  uint32 // bytes after the header; set by Seal
	ReqID    uint64 // chosen by the client, echoed in the response; 0 in pushes
	Checksum uint32 // set by Seal
	Op       Opcode
	Status   Status // StatusOK in requests and pushes
	Flags    Flags
}

// CheckRequest returns ErrNotRequest for a header that no client may send: one with a status, or with a flag that
// belongs to responses.
func (h Header) CheckRequest() error {
	if h.Flags&(FlagResponse|FlagReplayed) != 0 || h.Status != StatusOK {
		return ErrNotRequest
	}
	return nil
}

// Offsets of the header's fields.
const (
	magicAt     = 0
	versionAt   = 2
	flagsAt     = 3
	headerLenAt = 4
	bodyLenAt   = 6
	opcodeAt    = 10
	statusAt    = 12
	reqIDAt     = 14
	checksumAt  = 22
	reservedAt  = 26
)

// AppendHeader appends the 32 bytes of h to dst, with body_len and checksum 0 whatever h says: append the body, then
// let Seal fill them in.
func AppendHeader(dst []byte, h Header) []byte {
	dst = be.AppendUint64(dst, uint64(Magic)<<48|Version<<40|uint64(h.Flags)<<32|HeaderLen<<16)
	dst = be.AppendUint64(dst, uint64(h.Op)<<32|uint64(h.Status)<<16|h.ReqID>>48)
	dst = be.AppendUint64(dst, h.ReqID<<16)
	return be.AppendUint64(dst, 0)
}

// Seal completes a frame in place: frame is one header from AppendHeader and the body that was appended to it, and
// nothing else. It sets body_len and the checksum. A frame shorter than a header is a mistake of the caller: it panics.
func Seal(frame []byte) {
	h := (*[HeaderLen]byte)(frame)
	body := frame[HeaderLen:]
	n := uint64(len(body))
	be.PutUint64(h[0:], be.Uint64(h[0:])&^0xFFFF|n>>16)
	be.PutUint64(h[8:], be.Uint64(h[8:])&^(0xFFFF<<48)|n<<48)
	be.PutUint32(h[checksumAt:], checksum(h, body))
}

// AppendFrame appends one whole frame. It is for cold paths: where the body is not a pointer already, passing it as
// an interface allocates. Hot paths call AppendHeader, the body's AppendTo, and Seal.
func AppendFrame(dst []byte, h Header, b Body) []byte {
	start := len(dst)
	dst = b.AppendTo(AppendHeader(dst, h))
	Seal(dst[start:])
	return dst
}

// parse fills h from the variable fields of b, which need not be valid.
func (h *Header) parse(b *[HeaderLen]byte) {
	h.BodyLen = be.Uint32(b[bodyLenAt:])
	h.ReqID = be.Uint64(b[reqIDAt:])
	h.Checksum = be.Uint32(b[checksumAt:])
	h.Op = Opcode(be.Uint16(b[opcodeAt:]))
	h.Status = Status(be.Uint16(b[statusAt:]))
	h.Flags = Flags(b[flagsAt])
}

// headerFault checks the constant fields of b.
func headerFault(b *[HeaderLen]byte) error {
	switch {
	case be.Uint16(b[magicAt:]) != Magic:
		return ErrMagic
	case b[versionAt] != Version:
		return ErrVersion
	case be.Uint16(b[headerLenAt:]) != HeaderLen:
		return ErrHeaderLen
	case be.Uint64(b[reservedAt-2:])<<16 != 0:
		return ErrReserved
	}
	return nil
}
