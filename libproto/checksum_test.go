package libproto

import (
	"hash/crc32"
	"math/rand/v2"
	"testing"
)

// The definition, by the standard library and in one piece.
func TestChecksumIsTheCRCWithoutItsField(t *testing.T) {
	random := rand.NewChaCha8([32]byte{1})
	frame := make([]byte, HeaderLen+300)
	for bodyLen := range 300 {
		frame := frame[:HeaderLen+bodyLen]
		random.Read(frame)
		covered := append(append([]byte(nil), frame[:22]...), frame[26:]...)
		if got, want := Checksum(frame), crc32.ChecksumIEEE(covered); got != want {
			t.Fatalf("body of %d bytes: %08x, want %08x", bodyLen, got, want)
		}
	}
}
