package chatcheck

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
)

// ID names a message. Bit 63 clear: one of this run, the sender's connection in bits 40–62 and its number there, which
// counts from 1, in bits 0–39. Bit 63 set: text that nobody here sent, by its hash. Zero names nothing.
type ID uint64

const foreignBit ID = 1 << 63

// MakeID names the serial-th message of a connection.
func MakeID(conn uint32, serial uint64) ID { return ID(conn)<<serialBits | ID(serial) }

// Foreign reports whether the message is not one of this run.
func (id ID) Foreign() bool { return id&foreignBit != 0 }

// Conn is the sender's connection.
func (id ID) Conn() uint32 { return uint32(id >> serialBits) }

// Serial is the message's number among its sender's.
func (id ID) Serial() uint64 { return uint64(id) & (1<<serialBits - 1) }

// The text of a message, in digits of 6 bits:
//
//	run (5) │ connection (4) │ serial (7) │ check (6) │ filler: a piece of the tape, from a place that the ID gives
const (
	runDigits    = 5
	connDigits   = 4
	serialDigits = 7
	checkDigits  = 6
)

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// notDigit is above every digit: or-ing it in shows.
const notDigit = 0x80

var digitValue = func() (values [256]byte) {
	for i := range values {
		values[i] = notDigit
	}
	for i := range len(alphabet) {
		values[alphabet[i]] = byte(i)
	}
	return values
}()

// Codec writes and reads the texts of one run. It does not change: any number of threads may use it.
type Codec struct {
	run       uint64
	lengthMax int
	tape      []byte
	starts    uint64 // places of the tape where a filler may begin
	seed      maphash.Seed
}

// tapeStarts is the number of places where a filler may begin; fillers differ mostly by that.
const tapeStarts = 1 << 16

// NewCodec makes the codec of a run: run tells its messages from those of other runs (the low 30 bits count), seed
// makes the filler, lengthMax is the longest message in bytes.
func NewCodec(run, seed uint64, lengthMax int) *Codec {
	c := &Codec{
		run:       run & (1<<runBits - 1),
		lengthMax: lengthMax,
		tape:      make([]byte, tapeStarts+lengthMax),
		starts:    tapeStarts,
		seed:      maphash.MakeSeed(),
	}
	random := rand.New(rand.NewPCG(seed, 0))
	for i := range c.tape {
		c.tape[i] = alphabet[random.Uint32()%uint32(len(alphabet))]
	}
	return c
}

// AppendMessage appends the text of a message, length bytes long: MessageLenMin … lengthMax.
func (c *Codec) AppendMessage(dst []byte, room uint32, id ID, length int) []byte {
	dst = appendDigits(dst, c.run, runDigits)
	dst = appendDigits(dst, uint64(id.Conn()), connDigits)
	dst = appendDigits(dst, id.Serial(), serialDigits)
	dst = appendDigits(dst, uint64(c.check(room, id, length)), checkDigits)
	return append(dst, c.filler(id, length-MessageLenMin)...)
}

// Parse reads a text that arrived in a room. ok tells that it is whole: a message of this run, every byte as it was
// made. Else the ID is the text's hash.
func (c *Codec) Parse(room uint32, text []byte) (id ID, ok bool) {
	if len(text) < MessageLenMin || len(text) > c.lengthMax {
		return c.foreign(text), false
	}
	run, at := digits(text, 0, runDigits)
	conn, at := digits(text, at, connDigits)
	serial, at := digits(text, at, serialDigits)
	check, at := digits(text, at, checkDigits)
	id = MakeID(uint32(conn), serial)
	if (run|conn|serial|check)>>63 != 0 || conn>>connBits|serial>>serialBits != 0 || run != c.run || serial == 0 ||
		check != uint64(c.check(room, id, len(text))) || !bytes.Equal(text[at:], c.filler(id, len(text)-at)) {
		return c.foreign(text), false
	}
	return id, true
}

func (c *Codec) foreign(text []byte) ID { return foreignBit | ID(maphash.Bytes(c.seed, text)) }

// check binds the head of a text to the room it was sent to and to its length.
func (c *Codec) check(room uint32, id ID, length int) uint32 {
	return uint32(scramble(uint64(id)^scramble(c.run<<32|uint64(room))^uint64(length)<<48) >> 32)
}

func (c *Codec) filler(id ID, length int) []byte {
	start := scramble(uint64(id)) % c.starts
	return c.tape[start : start+uint64(length)]
}

// scramble spreads every bit of x over all 64: the finaliser of SplitMix64 (Steele, Lea, Flood 2014).
func scramble(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func appendDigits(dst []byte, value uint64, count int) []byte {
	for shift := (count - 1) * 6; shift >= 0; shift -= 6 {
		dst = append(dst, alphabet[value>>shift&63])
	}
	return dst
}

// digits reads count digits from text[at:]. The value has bit 63 set if one of them is none.
func digits(text []byte, at, count int) (value uint64, next int) {
	next = at + count
	var bad byte
	for _, char := range text[at:next] {
		digit := digitValue[char]
		bad |= digit & notDigit
		value = value<<6 | uint64(digit&63)
	}
	return value | uint64(bad)<<56, next
}

// String names the message for a person.
func (id ID) String() string {
	if id.Foreign() {
		return fmt.Sprintf("a foreign text (%016x)", uint64(id))
	}
	return fmt.Sprintf("message %d of connection %d", id.Serial(), id.Conn())
}
