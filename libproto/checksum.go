package libproto

import (
	"encoding/binary"

	"github.com/klauspost/crc32"
)

// Most frames are 40 to 100 bytes long. Below clmulLenMin bytes the library looks up eight bytes a step and then one at
// a time, and it has to be called once on either side of the checksum field: 22 ns for a TRANSFER. So the header and
// short bodies are summed here, by the same slicing tables but as whole words: 14 ns. Long bodies go to the library.

// clmulLenMin is the length from which the library multiplies 16 bytes a step instead of looking them up.
const clmulLenMin = 64

// crcAfter[k][x] is the state to which byte x leads from state 0, k zero bytes later.
var crcAfter = makeCRCAfter()

func makeCRCAfter() (t [8]crc32.Table) {
	t[0] = *crc32.MakeTable(crc32.IEEE)
	for k := 1; k < len(t); k++ {
		for x := range t[k] {
			before := t[k-1][x]
			t[k][x] = before>>8 ^ t[0][byte(before)]
		}
	}
	return t
}

// Checksum returns what Seal puts into a frame's checksum field: the sum of the header, without that field, and of the body.
// Like Seal it panics when frame is shorter than a header.
func Checksum(frame []byte) uint32 {
	return checksum((*[HeaderLen]byte)(frame), frame[HeaderLen:])
}

// checksum returns the CRC-32 (IEEE 802.3) of the header without its checksum field, then of the body.
func checksum(h *[HeaderLen]byte, body []byte) uint32 {
	le := binary.LittleEndian
	state := crcStep8(^uint32(0), le.Uint64(h[0:]))
	state = crcStep8(state, le.Uint64(h[8:]))
	// Aligned words only: Seal has just stored such ones, and the processor forwards what it stored as a whole.
	last := le.Uint64(h[24:])
	state = crcStep8(state, le.Uint64(h[16:])&(1<<48-1)|last>>16<<48) // bytes 16–21, 26 and 27
	state = crcStep4(state, uint32(last>>32))
	if len(body) >= clmulLenMin {
		return crc32.Update(^state, crc32.IEEETable, body)
	}
	for ; len(body) >= 8; body = body[8:] {
		state = crcStep8(state, le.Uint64(body))
	}
	if len(body) >= 4 {
		state = crcStep4(state, le.Uint32(body))
		body = body[4:]
	}
	for _, x := range body {
		state = state>>8 ^ crcAfter[0][byte(state)^x]
	}
	return ^state
}

// crcStep8 returns the state after the eight bytes of word, the lowest first.
func crcStep8(state uint32, word uint64) uint32 {
	word ^= uint64(state)
	return crcAfter[7][byte(word)] ^ crcAfter[6][byte(word>>8)] ^ crcAfter[5][byte(word>>16)] ^ crcAfter[4][byte(word>>24)] ^
		crcAfter[3][byte(word>>32)] ^ crcAfter[2][byte(word>>40)] ^ crcAfter[1][byte(word>>48)] ^ crcAfter[0][byte(word>>56)]
}

// crcStep4 is crcStep8 for four bytes.
func crcStep4(state uint32, word uint32) uint32 {
	word ^= state
	return crcAfter[3][byte(word)] ^ crcAfter[2][byte(word>>8)] ^ crcAfter[1][byte(word>>16)] ^ crcAfter[0][byte(word>>24)]
}
