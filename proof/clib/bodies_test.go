package clib

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tradechat.internal/libproto"
)

// snake makes a C name of a Go name: KDFIterations is kdf_iterations.
func snake(name string) string {
	name = regexp.MustCompile(`([a-z0-9])([A-Z])`).ReplaceAllString(name, "${1}_$2")
	name = regexp.MustCompile(`([A-Z]+)([A-Z][a-z])`).ReplaceAllString(name, "${1}_$2")
	return strings.ToLower(name)
}

// A cField is one member of a struct of the header.
type cField struct{ kind, name, array string }

// cStructs are the structs of proto.h, by their names without tc_proto_.
func cStructs(t *testing.T) map[string][]cField {
	t.Helper()
	structs := map[string][]cField{}
	member := regexp.MustCompile(`(?m)^\s+(\w+) (\*?)(\w+)(?:\[(\w+)\])?;`)
	whole := regexp.MustCompile(`typedef struct tc_proto_(\w+) \{([^}]*)\}`)
	for _, m := range whole.FindAllStringSubmatch(readHeader(t, "proto"), -1) {
		for _, f := range member.FindAllStringSubmatch(m[2], -1) {
			structs[m[1]] = append(structs[m[1]], cField{f[1] + f[2], f[3], f[4]})
		}
	}
	return structs
}

// bodiesInclude is C code that converts and prints every body that the header declares, field by field.
func bodiesInclude(t *testing.T) string {
	structs, header := cStructs(t), readHeader(t, "proto")
	var code, table strings.Builder
	table.WriteString("static const struct {\n    const char *name;\n" +
		"    int (*convert)(const tc_proto_frame *, uint8_t *, size_t, size_t *);\n} kinds[] = {\n")
	for _, name := range slices.Sorted(maps.Keys(structs)) {
		if !strings.Contains(header, fmt.Sprintf("int tc_proto_decode_%s(const tc_proto_frame *frame, tc_proto_%s *body);", name, name)) {
			continue
		}
		fmt.Fprintf(&code, "static int convert_%s(const tc_proto_frame *f, uint8_t *out, size_t cap, size_t *len) {\n", name)
		fmt.Fprintf(&code, "    tc_proto_%s v;\n    memset(&v, 0xA5, sizeof v);\n", name)
		row := ""
		if structs[name][0].name == "rows" {
			row = strings.TrimSuffix(structs[name][0].kind, "*")
			fmt.Fprintf(&code, "    static %s rows[ROWS];\n    memset(rows, 0xA5, sizeof rows);\n", row)
			code.WriteString("    v.rows = rows;\n    v.rows_cap = ROWS;\n")
		}
		fmt.Fprintf(&code, "    int rc = tc_proto_decode_%s(f, &v);\n    if (rc != TC_PROTO_OK)\n        return rc;\n", name)
		printFields(&code, structs[name], `""`, "v")
		if row != "" {
			code.WriteString("    for (size_t i = 0; i < v.count; i++) {\n        char at[32];\n")
			code.WriteString("        snprintf(at, sizeof at, \"rows[%zu].\", i);\n")
			printFields(&code, structs[strings.TrimPrefix(row, "tc_proto_")], "at", "rows[i]")
			code.WriteString("    }\n")
		}
		fmt.Fprintf(&code, "    return tc_proto_encode_%s(&f->header, &v, out, cap, len);\n}\n", name)
		fmt.Fprintf(&table, "    {\"%s\", convert_%s},\n", name, name)
	}
	return code.String() + table.String() + "};\n"
}

func printFields(code *strings.Builder, fields []cField, at, v string) {
	for _, f := range fields {
		value := v + "." + f.name
		switch {
		case f.name == "reserved" || f.name == "rows" || f.name == "rows_cap" || f.name == "count":
		case f.kind == "tc_proto_bytes":
			fmt.Fprintf(code, "    print_bytes(%s, \"%s\", %s.data, %s.len);\n", at, f.name, value, value)
		case f.array != "":
			fmt.Fprintf(code, "    print_bytes(%s, \"%s\", %s, sizeof %s);\n", at, f.name, value, value)
		case f.kind == "int64_t":
			fmt.Fprintf(code, "    print_i(%s, \"%s\", %s);\n", at, f.name, value)
		default:
			fmt.Fprintf(code, "    print_u(%s, \"%s\", %s);\n", at, f.name, value)
		}
	}
}

// eachBodies runs f with testdata/bodies.c and its bodies.inc in every language.
func eachBodies(t *testing.T, f func(t *testing.T, program string)) {
	t.Helper()
	folder := filepath.Join(madeFolder, "include")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "bodies.inc"), []byte(bodiesInclude(t)), 0o644); err != nil {
		t.Fatal(err)
	}
	eachLanguage(t, "bodies.c", "proto", f, "-I"+folder)
}

// question is a line for the program; what it prints is compared with want.
type question struct {
	name, kind string
	frame      []byte
	want       map[string]string
}

// ask runs the program once for all questions.
func ask(t *testing.T, program string, questions []question) {
	t.Helper()
	var in bytes.Buffer
	for _, q := range questions {
		fmt.Fprintf(&in, "%s %x\n", q.kind, q.frame)
	}
	cmd := command(t, program)
	cmd.Stdin = &in
	answers := strings.Split(strings.TrimSuffix(run(t, cmd), "\n"), "\n")
	if len(answers) != len(questions) {
		t.Fatalf("%d answers to %d questions", len(answers), len(questions))
	}
	for i, q := range questions {
		got := map[string]string{}
		for _, pair := range strings.Fields(answers[i]) {
			name, value, _ := strings.Cut(pair, "=")
			got[name] = value
		}
		if !maps.Equal(got, q.want) {
			t.Errorf("%s:\n got %v\nwant %v", q.name, got, q.want)
		}
	}
}

// whole is what the program says about a good frame.
func whole(frame []byte, h libproto.Header, fields map[string]string) map[string]string {
	n := strconv.Itoa(len(frame))
	want := map[string]string{
		"frames": "0", "count": "1", "consumed": n, "header": "0", "error": "0", "sum": "0", "request": "0",
		"convert": "0", "again": hex.EncodeToString(frame), "raw": "1", "exact": "0", "short": "-2", "needed": n,
	}
	if h.CheckRequest() != nil {
		want["request"] = "-31"
	}
	maps.Copy(want, headerFields(frame, h))
	maps.Copy(want, fields)
	return want
}

func headerFields(frame []byte, h libproto.Header) map[string]string {
	return map[string]string{
		"opcode": fmt.Sprint(uint16(h.Op)), "flags": fmt.Sprint(uint8(h.Flags)), "status": fmt.Sprint(uint16(h.Status)),
		"req_id": fmt.Sprint(h.ReqID), "body_len": fmt.Sprint(len(frame) - libproto.HeaderLen),
	}
}

// kindOf is the C name of a body's type.
func kindOf(b libproto.Body) string { return snake(reflect.TypeOf(b).Elem().Name()) }

// fieldsOf are a body's fields as the C program prints them. A body's own req_id would hide the header's.
func fieldsOf(at string, v reflect.Value, fields map[string]string) {
	for i := range v.NumField() {
		name, f := at+snake(v.Type().Field(i).Name), v.Field(i)
		switch {
		case f.Kind() == reflect.Slice && f.Type().Elem().Kind() == reflect.Struct:
			for i := range f.Len() {
				fieldsOf(fmt.Sprintf("rows[%d].", i), f.Index(i), fields)
			}
		case f.Kind() == reflect.Slice || f.Kind() == reflect.Array:
			fields[name] = fmt.Sprintf("%x", f.Interface())
		case f.Kind() == reflect.Bool:
			fields[name] = map[bool]string{false: "0", true: "1"}[f.Bool()]
		case f.CanInt():
			fields[name] = fmt.Sprint(f.Int())
		default:
			fields[name] = fmt.Sprint(f.Uint())
		}
	}
}

// fill puts random values into a body.
func fill(random *rand.Rand, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(random, v.Field(i))
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(random, v.Index(i))
		}
	case reflect.Slice:
		n := 1 + random.IntN(6)
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes([]byte(strings.Repeat("é€😀x", n-1) + "e"[:n%2]))
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			fill(random, v.Index(i))
		}
	case reflect.Bool:
		v.SetBool(random.IntN(2) == 1)
	case reflect.Int64:
		v.SetInt(int64(random.Uint64()))
	default:
		v.SetUint(random.Uint64() >> (64 - v.Type().Bits()))
	}
}

// carried are all bodies that there are, with headers that carry them.
func carried() (headers []libproto.Header, bodies []libproto.DecodableBody) {
	for _, op := range libproto.Opcodes() {
		for _, c := range []struct {
			body libproto.DecodableBody
			h    libproto.Header
		}{
			{libproto.NewRequest(op), libproto.Header{Op: op, ReqID: 1<<63 + 5}},
			{libproto.NewPush(op), libproto.Header{Op: op}},
			{libproto.NewResponse(op), libproto.Header{Op: op, ReqID: 6, Flags: libproto.FlagResponse | libproto.FlagReplayed}},
			{&libproto.ErrorBody{}, libproto.Header{Op: op, ReqID: 7, Flags: libproto.FlagResponse, Status: libproto.StatusNotFound}},
		} {
			if c.body != nil {
				headers, bodies = append(headers, c.h), append(bodies, c.body)
			}
		}
	}
	return headers, bodies
}

// TestEveryBody gives C random bodies of every kind, made by libproto, and compares every field and the bytes that C makes of
// it. An opcode or a field that the header lacks fails here.
func TestEveryBody(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var questions []question
	for range 20 {
		headers, bodies := carried()
		for i, b := range bodies {
			fill(random, reflect.ValueOf(b).Elem())
			frame := libproto.AppendFrame(nil, headers[i], b)
			fields := map[string]string{}
			fieldsOf("", reflect.ValueOf(b).Elem(), fields)
			questions = append(questions, question{headers[i].Op.String(), kindOf(b), frame, whole(frame, headers[i], fields)})
		}
	}
	eachBodies(t, func(t *testing.T, program string) { ask(t, program, questions) })
}

type vector struct {
	Name, Expect, Hex, Body string
	Opcode                  libproto.Opcode
	Flags                   libproto.Flags
	Status                  libproto.Status
	ReqID                   uint64 `json:"req_id"`
}

// vectors are the golden frames.
func vectors(t *testing.T) []vector {
	t.Helper()
	text, err := os.ReadFile(vectorFile)
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Frames []vector }
	if err := json.Unmarshal(text, &file); err != nil || len(file.Frames) == 0 {
		t.Fatalf("%s: %d frames, %v", vectorFile, len(file.Frames), err)
	}
	return file.Frames
}

// The result that C gets for each golden frame that a server refuses: of the frames, of the frame, as a request, of the body.
var goldenFaults = map[string]map[string]string{
	"bad magic":                {"frames": "-20", "count": "0"},
	"bad version":              {"frames": "-21", "count": "0"},
	"bad header_len":           {"frames": "-22", "count": "0"},
	"reserved not zero":        {"frames": "-23", "count": "0"},
	"unknown flag":             {"frames": "-24", "count": "0"},
	"length bomb":              {"frames": "-25", "count": "0"},
	"checksum off by one bit":  {"frames": "0", "error": "-30"},
	"body flipped":             {"frames": "0", "error": "-30"},
	"request with is_response": {"frames": "0", "error": "0", "request": "-31"},
	"request with status":      {"frames": "0", "error": "0", "request": "-31"},
	"unknown opcode":           {"frames": "0", "error": "0", "convert": "-7"},
	"short body":               {"frames": "0", "error": "0", "convert": "-40"},
	"string longer than body":  {"frames": "0", "error": "0", "convert": "-40"},
	"trailing byte in body":    {"frames": "0", "error": "0", "convert": "-41"},
	"invalid utf-8":            {"frames": "0", "error": "0", "convert": "-42"},
}

func TestGoldenFrames(t *testing.T) {
	var questions []question
	for _, v := range vectors(t) {
		if v.Expect == "ok" {
			questions = append(questions, goldenQuestion(t, v))
		}
	}
	eachBodies(t, func(t *testing.T, program string) {
		ask(t, program, questions)
		for _, v := range vectors(t) {
			if v.Expect != "ok" {
				t.Run(v.Name, func(t *testing.T) { checkFault(t, program, v) })
			}
		}
	})
}

func goldenQuestion(t *testing.T, v vector) question {
	t.Helper()
	frame, err := hex.DecodeString(v.Hex)
	if err != nil {
		t.Fatal(err)
	}
	h := libproto.Header{Op: v.Opcode, Flags: v.Flags, Status: v.Status, ReqID: v.ReqID}
	body := bodyFor(h)
	if err := body.Decode(frame[libproto.HeaderLen:]); err != nil {
		t.Fatal(err)
	}
	fields := map[string]string{}
	fieldsOf("", reflect.ValueOf(body).Elem(), fields)
	return question{v.Name, kindOf(body), frame, whole(frame, h, fields)}
}

func bodyFor(h libproto.Header) libproto.DecodableBody {
	switch {
	case h.Flags&libproto.FlagResponse != 0 && h.Status != libproto.StatusOK:
		return &libproto.ErrorBody{}
	case h.Flags&libproto.FlagResponse != 0:
		return libproto.NewResponse(h.Op)
	}
	if push := libproto.NewPush(h.Op); push != nil {
		return push
	}
	return libproto.NewRequest(h.Op)
}

func checkFault(t *testing.T, program string, v vector) {
	want, ok := goldenFaults[v.Name]
	if !ok {
		t.Fatal("a vector that this test does not know")
	}
	frame, err := hex.DecodeString(v.Hex)
	if err != nil {
		t.Fatal(err)
	}
	kind := "-"
	if want["convert"] != "" {
		kind = "transfer_request"
		if op := libproto.Opcode(uint16(frame[10])<<8 | uint16(frame[11])); libproto.NewRequest(op) != nil {
			kind = kindOf(libproto.NewRequest(op))
		}
	}
	cmd := command(t, program)
	cmd.Stdin = strings.NewReader(fmt.Sprintf("%s %x\n", kind, frame))
	out := run(t, cmd)
	for name, value := range want {
		if !strings.Contains(" "+out, " "+name+"="+value+" ") && !strings.HasSuffix(strings.TrimSpace(out), name+"="+value) {
			t.Errorf("want %s=%s in %q", name, value, out)
		}
	}
}

// The names of opcodes and statuses stand in C, too, where no Go is needed.
func TestNames(t *testing.T) {
	var want strings.Builder
	for i := range 1 << 16 {
		if op := libproto.Opcode(i); slices.Contains(libproto.Opcodes(), op) {
			fmt.Fprintf(&want, "opcode %d %v\n", i, op)
		}
		if i < libproto.StatusCount {
			fmt.Fprintf(&want, "status %d %v\n", i, libproto.Status(i))
		}
	}
	eachBodies(t, func(t *testing.T, program string) {
		if got := run(t, command(t, program, "names")); got != want.String() {
			t.Errorf("got\n%s\nwant\n%s", got, &want)
		}
	})
}

// The header's numbers are the protocol's.
func TestEnumsAreTheProtocols(t *testing.T) {
	text := readHeader(t, "proto")
	for _, op := range libproto.Opcodes() {
		if want := fmt.Sprintf("TC_PROTO_OP_%v = 0x%04X", op, uint16(op)); !strings.Contains(text, want) {
			t.Errorf("the header lacks %q", want)
		}
	}
	for s := range libproto.Status(libproto.StatusCount) {
		if want := fmt.Sprintf("TC_PROTO_STATUS_%s = %d", strings.TrimPrefix(s.String(), "ERR_"), s); !strings.Contains(text, want) {
			t.Errorf("the header lacks %q", want)
		}
	}
}
