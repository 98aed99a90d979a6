package scenario

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"tradechat.internal/libproto"
)

// The little language of requests and answers. README.md describes it:
//
//	request  = OPCODE { field | change }       HEARTBEAT u64:9 set:3=10
//	answer   = STATUS [ fields ]               OK i64:>0 u64:*

var opcodes = func() map[string]libproto.Opcode {
	byName := make(map[string]libproto.Opcode)
	for _, op := range libproto.Opcodes() {
		byName[op.String()] = op
	}
	return byName
}()

var statuses = func() map[string]libproto.Status {
	byName := make(map[string]libproto.Status)
	for s := range libproto.Status(libproto.StatusCount) {
		byName[s.String()] = s
	}
	return byName
}()

// encoded is a request as bytes.
type encoded struct {
	op    libproto.Opcode
	reqID uint64
	bytes []byte
}

// encode makes the frame that the words describe, for a session under its next req_id.
func (w *world) encode(s *session, request []string) (e encoded, err error) {
	if len(request) == 0 {
		return e, fmt.Errorf("an empty request")
	}
	op, known := opcodes[request[0]]
	if !known {
		n, err := strconv.ParseUint(request[0], 0, 16)
		if err != nil {
			return e, fmt.Errorf("%q is no opcode", request[0])
		}
		op = libproto.Opcode(n)
	}
	s.reqID++
	e.op, e.reqID = op, s.reqID
	e.bytes = libproto.AppendHeader(nil, libproto.Header{Op: op, ReqID: s.reqID})
	for _, word := range request[1:] {
		if e.bytes, err = w.addField(s, e.bytes, word); err != nil {
			return e, fmt.Errorf("%s: %w", word, err)
		}
	}
	libproto.Seal(e.bytes)
	for _, word := range request[1:] {
		if e.bytes, err = change(e.bytes, word); err != nil {
			return e, fmt.Errorf("%s: %w", word, err)
		}
	}
	return e, nil
}

// addField appends one field to a body; a change is left for later.
func (w *world) addField(s *session, frame []byte, word string) ([]byte, error) {
	word, err := w.resolve(word)
	if err != nil {
		return nil, err
	}
	kind, text, _ := strings.Cut(word, ":")
	if width := widths[kind]; width > 0 {
		return appendNumber(frame, width, text)
	}
	switch kind {
	case "str":
		return appendCounted(frame, []byte(text)), nil
	case "text":
		n, err := strconv.Atoi(text)
		return appendCounted(frame, []byte(strings.Repeat("x", n))), err
	case "bytes":
		b, err := hex.DecodeString(text)
		return appendCounted(frame, b), err
	case "raw":
		b, err := hex.DecodeString(text)
		return append(frame, b...), err
	case "proof":
		return w.appendProof(s, frame, text)
	case "session": // the u64 id of the session that NAME has or had
		if past := w.past[text]; past != nil {
			return appendNumber(frame, 8, fmt.Sprint(past.id))
		}
		return nil, fmt.Errorf("nobody of that name has logged in")
	case "req": // the u64 req_id of the last request of NAME's session
		if past := w.past[text]; past == s {
			return appendNumber(frame, 8, fmt.Sprint(s.reqID-1)) // reqID is this request's own by now
		} else if past != nil {
			return appendNumber(frame, 8, fmt.Sprint(past.reqID))
		}
		return nil, fmt.Errorf("nobody of that name has logged in")
	case "set", "flip", "cut", "add", "head":
		return frame, nil
	}
	return nil, fmt.Errorf("neither a field nor a change")
}

// resolve makes u32:ID of user:NAME and room:NAME.
func (w *world) resolve(word string) (string, error) {
	kind, name, _ := strings.Cut(word, ":")
	switch {
	case kind == "user" && w.users[name].id != 0:
		return fmt.Sprintf("u32:%d", w.users[name].id), nil
	case kind == "room" && w.rooms[name] != nil:
		return fmt.Sprintf("u32:%d", w.rooms[name].id), nil
	case kind == "user" || kind == "room":
		return "", fmt.Errorf("%s: nobody has logged in as, or joined, that", word)
	}
	return word, nil
}

// widths are the integers by their length in bytes.
var widths = map[string]int{"u8": 1, "u16": 2, "u32": 4, "u64": 8, "i64": 8}

func appendNumber(frame []byte, width int, text string) ([]byte, error) {
	n, err := strconv.ParseUint(text, 0, 8*width)
	if err != nil {
		return nil, err
	}
	full := binary.BigEndian.AppendUint64(nil, n)
	return append(frame, full[8-width:]...), nil
}

func appendCounted(frame, field []byte) []byte {
	return append(binary.BigEndian.AppendUint16(frame, uint16(len(field))), field...)
}

// appendProof appends the proof of the session's user with a password; "right" is the user's own.
func (w *world) appendProof(s *session, frame []byte, text string) ([]byte, error) {
	keys, err := s.keys(s.user())
	if text != "right" {
		keys.Client[0] ^= 1
	}
	proof := s.proof(keys)
	return appendCounted(frame, proof[:]), err
}

// change damages a frame that is whole and sealed. set, cut and add make the checksum right again, so that nothing else is
// wrong with the frame; flip does not.
func change(frame []byte, word string) ([]byte, error) {
	kind, text, _ := strings.Cut(word, ":")
	switch kind {
	case "set", "flip":
		at, value, err := parsePatch(text, len(frame))
		if err != nil {
			return nil, err
		}
		for i, b := range value {
			if kind == "flip" {
				b ^= frame[at+i]
			}
			frame[at+i] = b
		}
		if kind == "set" {
			resum(frame)
		}
	case "cut":
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > len(frame)-libproto.HeaderLen {
			return nil, fmt.Errorf("cannot cut that many bytes")
		}
		frame = frame[:len(frame)-n]
		libproto.Seal(frame)
	case "add":
		b, err := hex.DecodeString(text)
		if err != nil {
			return nil, err
		}
		frame = append(frame, b...)
		libproto.Seal(frame)
	case "head":
		frame = frame[:libproto.HeaderLen]
	}
	return frame, nil
}

// resum makes the checksum right without touching the rest of the header: Seal would set body_len as well.
func resum(frame []byte) {
	const bodyLenAt, checksumAt = 6, 22
	sealed := append([]byte(nil), frame...)
	libproto.Seal(sealed)
	if string(sealed[bodyLenAt:bodyLenAt+4]) == string(frame[bodyLenAt:bodyLenAt+4]) {
		copy(frame[checksumAt:checksumAt+4], sealed[checksumAt:])
	}
}

// parsePatch reads OFFSET=HEX.
func parsePatch(text string, size int) (at int, value []byte, err error) {
	offset, digits, _ := strings.Cut(text, "=")
	at, err = strconv.Atoi(offset)
	if err == nil {
		value, err = hex.DecodeString(digits)
	}
	if err == nil && (at < 0 || at+len(value) > size) {
		err = fmt.Errorf("outside of the frame's %d bytes", size)
	}
	return at, value, err
}

// matchAnswer compares a response with an answer's words. Without fields an OK body may hold anything; that of an error
// must be an error's body always.
func (w *world) matchAnswer(f libproto.Frame, answer []string) error {
	if len(answer) == 0 {
		return fmt.Errorf("an empty answer")
	}
	want, known := statuses[answer[0]]
	if !known {
		return fmt.Errorf("%q is no status", answer[0])
	}
	if f.Status != want {
		return fmt.Errorf("%v was answered %v, not %v: %q", f.Op, f.Status, want, f.Body)
	}
	if want != libproto.StatusOK {
		if err := new(libproto.ErrorBody).Decode(f.Body); err != nil {
			return fmt.Errorf("%v: body of %v: %w", f.Op, want, err)
		}
	}
	if len(answer) == 1 {
		return nil
	}
	if err := w.matchFields(f.Body, answer[1:]); err != nil {
		return fmt.Errorf("%v %v: %w", f.Op, f.Status, err)
	}
	return nil
}

// matchFields compares a body with fields, to its end unless the last one is "…".
func (w *world) matchFields(body []byte, fields []string) error {
	for _, field := range fields {
		if field == "…" {
			return nil
		}
		field, err := w.resolve(field)
		if err != nil {
			return err
		}
		kind, want, _ := strings.Cut(field, ":")
		got, rest, err := takeField(body, kind)
		if err != nil {
			return fmt.Errorf("%s: %w", field, err)
		}
		if err := matchValue(got, want); err != nil {
			return fmt.Errorf("%s: %w", field, err)
		}
		body = rest
	}
	if len(body) > 0 {
		return fmt.Errorf("%d bytes follow: %x", len(body), body)
	}
	return nil
}

// takeField reads one field as text.
func takeField(body []byte, kind string) (text string, rest []byte, err error) {
	n := widths[kind]
	if kind == "str" || kind == "bytes" {
		n = 2
	}
	if n == 0 || len(body) < n {
		return "", nil, fmt.Errorf("cannot be read from %x", body)
	}
	var full [8]byte
	copy(full[8-n:], body)
	number, rest := binary.BigEndian.Uint64(full[:]), body[n:]
	switch {
	case kind == "i64":
		return strconv.FormatInt(int64(number), 10), rest, nil
	case kind != "str" && kind != "bytes":
		return strconv.FormatUint(number, 10), rest, nil
	case uint64(len(rest)) < number:
		return "", nil, fmt.Errorf("%d bytes of %d", len(rest), number)
	case kind == "bytes":
		return hex.EncodeToString(rest[:number]), rest[number:], nil
	}
	return string(rest[:number]), rest[number:], nil
}

// matchValue compares with "*", ">n", "<n", or a value.
func matchValue(got, want string) error {
	op, bound := "==", want
	switch {
	case want == "*":
		return nil
	case strings.HasPrefix(want, ">"), strings.HasPrefix(want, "<"):
		op, bound = want[:1], want[1:]
	}
	holds, err := compare(got, op, bound)
	if err == nil && !holds {
		err = fmt.Errorf("it is %s", got)
	}
	return err
}

// cmdAsk makes one request, or the same one several times in turn, or one again under the req_id of the one before.
func cmdAsk(ts *testscript.TestScript, w *world, args []string) {
	in := &words{ts, args}
	s, times := w.session(ts, in.next("name")), 1
	again := in.skip("again")
	if again {
		s.reqID--
	}
	if len(in.rest) > 1 && in.rest[1] == "times" {
		times = in.number("count")
		in.skip("times")
	}
	request, answer := splitAt(in.rest, "gets")
	for range times {
		replayed, err := w.askOnce(s, request, answer)
		ts.Check(err)
		if fresh := answer[0] != libproto.StatusOK.String(); replayed != (again && !fresh) {
			ts.Fatalf("flag replayed: %v", replayed)
		}
	}
}

func splitAt(list []string, word string) (before, after []string) {
	for i := range list {
		if list[i] == word {
			return list[:i], list[i+1:]
		}
	}
	return list, nil
}

func (w *world) askOnce(s *session, request, answer []string) (replayed bool, err error) {
	e, err := w.encode(s, request)
	if err != nil {
		return false, err
	}
	if err := s.write(e.bytes); err != nil {
		return false, err
	}
	return w.answered(s, e, answer)
}

// answered takes the next response, which must be the one to e, and says whether it was recorded earlier.
func (w *world) answered(s *session, e encoded, answer []string) (replayed bool, err error) {
	f, err := s.response()
	if err != nil {
		return false, fmt.Errorf("%s: %v: %w", s.name, e.op, err)
	}
	if f.ReqID != e.reqID {
		return false, fmt.Errorf("%s: a response for req_id %d, not %d: %v", s.name, f.ReqID, e.reqID, f.Header)
	}
	return f.Flags&libproto.FlagReplayed != 0, w.matchAnswer(f, answer)
}

// cmdPush checks the next push.
func cmdPush(ts *testscript.TestScript, w *world, args []string) {
	in := &words{ts, args}
	s := w.session(ts, in.next("name"))
	op, known := opcodes[in.next("opcode")]
	if !known {
		ts.Fatalf("no such opcode")
	}
	f, err := s.push()
	ts.Check(err)
	if f.Op != op {
		ts.Fatalf("%s was pushed %v, not %v: %x", s.name, f.Op, op, f.Body)
	}
	if len(in.rest) > 0 {
		ts.Check(w.matchFields(f.Body, in.rest))
	}
}

func unhex(ts *testscript.TestScript, digits string) []byte {
	b, err := hex.DecodeString(digits)
	ts.Check(err)
	return b
}
