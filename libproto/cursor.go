package libproto

import (
	"encoding/binary"
	"fmt"
)

var be = binary.BigEndian

// cursor reads a body from its front. The first fault sticks: it empties the cursor, so that every later read yields
// a zero and the whole body can be read without a check after each field. end tells.
type cursor struct {
	rest []byte
	err  error
}

func (c *cursor) fail(err error) {
	if c.err == nil {
		c.err = err
	}
	c.rest = nil
}

// end returns the first fault, or ErrTrailing if the body holds more than was read.
func (c *cursor) end() error {
	if c.err == nil && len(c.rest) != 0 {
		return ErrTrailing
	}
	return c.err
}

func (c *cursor) u8() uint8 {
	if len(c.rest) < 1 {
		c.fail(ErrShortBody)
		return 0
	}
	v := c.rest[0]
	c.rest = c.rest[1:]
	return v
}

func (c *cursor) u16() uint16 {
	if len(c.rest) < 2 {
		c.fail(ErrShortBody)
		return 0
	}
	v := be.Uint16(c.rest)
	c.rest = c.rest[2:]
	return v
}

func (c *cursor) u32() uint32 {
	if len(c.rest) < 4 {
		c.fail(ErrShortBody)
		return 0
	}
	v := be.Uint32(c.rest)
	c.rest = c.rest[4:]
	return v
}

func (c *cursor) u64() uint64 {
	if len(c.rest) < 8 {
		c.fail(ErrShortBody)
		return 0
	}
	v := be.Uint64(c.rest)
	c.rest = c.rest[8:]
	return v
}

func (c *cursor) i64() int64 { return int64(c.u64()) }

func (c *cursor) bool() bool {
	v := c.u8()
	if v > 1 {
		c.fail(ErrBool)
	}
	return v == 1
}

// bytes returns a field that aliases the body; its capacity ends with it, so that appending to it copies.
func (c *cursor) bytes() []byte {
	n := int(c.u16())
	if len(c.rest) < n {
		c.fail(ErrShortBody)
		return nil
	}
	v := c.rest[:n:n]
	c.rest = c.rest[n:]
	return v
}

func (c *cursor) str() []byte {
	s := c.bytes()
	if err := CheckText(s); err != nil {
		c.fail(err)
	}
	return s
}

// key returns a bytes field of exactly KeyLen bytes: a nonce, a key, a proof or a signature.
func (c *cursor) key() (k [KeyLen]byte) {
	copy(k[:], c.fixed(KeyLen))
	return k
}

func (c *cursor) salt() (s [SaltLen]byte) {
	copy(s[:], c.fixed(SaltLen))
	return s
}

func (c *cursor) fixed(n int) []byte {
	v := c.bytes()
	if len(v) != n {
		c.fail(ErrLength)
		return nil
	}
	return v
}

// count returns a list's number of rows. One that the rest of the body cannot hold at rowLenMin bytes a row is a
// fault, and 0: nobody allocates for rows that are not there.
func (c *cursor) count(rowLenMin int) int {
	n := int(c.u16())
	if n*rowLenMin > len(c.rest) {
		c.fail(ErrShortBody)
		return 0
	}
	return n
}

// appendBytes appends a bytes or str field. One that is over FieldLenMax is a mistake of the caller.
func appendBytes(dst, field []byte) []byte {
	return append(appendLen(dst, len(field)), field...)
}

// appendLen appends the u16 length of a field or a list.
func appendLen(dst []byte, n int) []byte {
	if n > FieldLenMax {
		panic(fmt.Sprintf("libproto: a field or list of %d does not fit its u16 length", n))
	}
	return be.AppendUint16(dst, uint16(n))
}

func appendBool(dst []byte, v bool) []byte {
	if v {
		return append(dst, 1)
	}
	return append(dst, 0)
}
