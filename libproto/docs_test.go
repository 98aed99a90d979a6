package libproto

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tradechat.internal/libproto/internal/gen"
)

// The tables of the protocol's page must say what the code does. A table is known by its header row.

const protocolPage = "../docs/protocol.md"

// docTables returns the body rows of every table of the page whose first header cells are these, in order.
func docTables(t *testing.T, header ...string) (tables [][][]string) {
	t.Helper()
	text, err := os.ReadFile(protocolPage)
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	for _, line := range append(strings.Split(string(text), "\n"), "") {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "|") {
			rows = append(rows, docCells(line))
			continue
		}
		if len(rows) > 2 && len(rows[0]) >= len(header) && slices.Equal(rows[0][:len(header)], header) {
			tables = append(tables, rows[2:])
		}
		rows = nil
	}
	if len(tables) == 0 {
		t.Fatalf("%s has no table %q", protocolPage, header)
	}
	return tables
}

// docCells returns the cells of a row, without the mark of what is not granted yet.
func docCells(line string) []string {
	cells := strings.Split(strings.Trim(line, "|"), "|")
	for i := range cells {
		cells[i] = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(cells[i]), "◌"))
	}
	return cells
}

// checkTable compares the first cells of a table's rows with want.
func checkTable(t *testing.T, rows, want [][]string) {
	t.Helper()
	for i := range max(len(rows), len(want)) {
		switch {
		case i >= len(want):
			t.Errorf("the page has a row %q that the code has not", rows[i])
		case i >= len(rows):
			t.Errorf("the page lacks a row %q", want[i])
		case !slices.Equal(rows[i][:len(want[i])], want[i]):
			t.Errorf("the page says %q, the code %q", rows[i][:len(want[i])], want[i])
		}
	}
}

func TestPageHeader(t *testing.T) {
	fields := []struct {
		at   int
		name string
	}{
		{magicAt, "magic"}, {versionAt, "version"}, {flagsAt, "flags"}, {headerLenAt, "header_len"}, {bodyLenAt, "body_len"},
		{opcodeAt, "opcode"}, {statusAt, "status"}, {reqIDAt, "req_id"}, {checksumAt, "checksum"}, {reservedAt, "reserved"},
	}
	var want [][]string
	for i, f := range fields {
		end := HeaderLen
		if i+1 < len(fields) {
			end = fields[i+1].at
		}
		want = append(want, []string{strconv.Itoa(f.at), strconv.Itoa(end - f.at), f.name})
	}
	rows := docTables(t, "offset", "size", "field")[0]
	checkTable(t, rows, want)
	for row, value := range map[int]string{0: fmt.Sprintf("0x%04X, %q", Magic, "NS"), 1: strconv.Itoa(Version), 3: strconv.Itoa(HeaderLen)} {
		if rows[row][3] != value {
			t.Errorf("%s is %q on the page, %q in the code", rows[row][2], rows[row][3], value)
		}
	}
}

// The offsets above are those that AppendHeader and the decoder really use.
func TestOffsetsAreWhereFieldsAre(t *testing.T) {
	frame := AppendFrame(nil, Header{Op: 0xA1A2, Status: 0xB1B2, Flags: 0xC1, ReqID: 0xD1D2D3D4D5D6D7D8}, Empty{})
	var h Header
	h.parse((*[HeaderLen]byte)(frame))
	want := Header{Op: 0xA1A2, Status: 0xB1B2, Flags: 0xC1, ReqID: 0xD1D2D3D4D5D6D7D8, Checksum: be.Uint32(frame[checksumAt:])}
	if h != want {
		t.Errorf("%+v, want %+v", h, want)
	}
}

func TestPageNumbers(t *testing.T) {
	numbered := func(from, to int, name func(int) string) (rows [][]string) {
		for i := from; i <= to; i++ {
			rows = append(rows, []string{strconv.Itoa(i), name(i)})
		}
		return rows
	}
	kinds := docTables(t, "kind", "meaning")
	if len(kinds) != 2 {
		t.Fatalf("%d tables of kinds", len(kinds))
	}
	cases := []struct {
		name       string
		rows, want [][]string
	}{
		{"flags", docTables(t, "bit", "flag")[0], numbered(0, 3, func(i int) string { return Flags(1 << i).String() })},
		{"capabilities", docTables(t, "bit", "capability")[0], numbered(0, 3, func(i int) string { return Capabilities(1 << i).String() })},
		{"statuses", docTables(t, "status", "name")[0], numbered(0, StatusCount-1, func(i int) string { return Status(i).String() })},
		{"reasons", docTables(t, "reason", "meaning")[0], numbered(1, int(GoingAwayAbuse), func(i int) string { return GoingAwayReason(i).String() })},
		{"room events", kinds[0], numbered(1, int(RoomEventGap), func(i int) string { return RoomEventKind(i).String() })},
		{"transactions", kinds[1], numbered(1, int(TxnTransferIn), func(i int) string { return TxnKind(i).String() })},
		{"outcomes", docTables(t, "outcome", "meaning")[0], numbered(0, int(TxnForgotten), func(i int) string { return TxnOutcome(i).String() })},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { checkTable(t, c.rows, c.want) })
	}
}

// Every opcode is on the page once, by its number and name, with the layouts of its bodies.
func TestPageOpcodes(t *testing.T) {
	seen := map[Opcode]bool{}
	check := func(row []string, layouts ...DecodableBody) {
		value, err := strconv.ParseUint(row[0], 0, 16)
		op := Opcode(value)
		if err != nil || op.String() != row[1] || seen[op] {
			t.Errorf("row %q: %v, %v, seen before %v", row[:2], op, err, seen[op])
		}
		seen[op] = true
		for i, body := range layouts {
			checkLayout(t, row[1], row[2+i], body)
		}
	}
	opOf := func(row []string) Opcode {
		value, _ := strconv.ParseUint(row[0], 0, 16)
		return Opcode(value)
	}
	for _, rows := range docTables(t, "opcode", "name", "request", "response, status OK") {
		for _, row := range rows {
			check(row, NewRequest(opOf(row)), NewResponse(opOf(row)))
		}
	}
	for _, rows := range docTables(t, "opcode", "name", "push") {
		for _, row := range rows {
			check(row, NewPush(opOf(row)))
		}
	}
	for _, op := range Opcodes() {
		if !seen[op] {
			t.Errorf("the page lacks %v", op)
		}
	}
}

func TestPageErrorBody(t *testing.T) {
	text, err := os.ReadFile(protocolPage)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile("instead of its opcode's body, this one: `([^`]+)`").FindSubmatch(text)
	if m == nil {
		t.Fatal("the page does not give the body of errors")
	}
	checkLayout(t, "error", string(m[1]), new(ErrorBody))
}

// checkLayout compares a layout on the page with the fields of the body.
func checkLayout(t *testing.T, name, page string, body DecodableBody) {
	t.Helper()
	if body == nil {
		t.Errorf("%s: the page has a body %q that the code has not", name, page)
		return
	}
	v := reflect.ValueOf(body).Elem()
	if code := layoutOf(body, v); code != page {
		t.Errorf("%s: the page says\n%s, the code\n%s", name, page, code)
	}
}

// layoutOf writes the fields of v as the page writes them. TestAppendToWritesTheFieldsInOrder holds the order of the
// fields and that on the wire together.
func layoutOf(body DecodableBody, v reflect.Value) string {
	if v.NumField() == 0 {
		return "—"
	}
	var fields []string
	for i := range v.NumField() {
		field, name := v.Field(i), gen.WireName(v.Type().Field(i).Name)
		switch {
		case field.Kind() == reflect.Array:
			fields = append(fields, fmt.Sprintf("bytes %s (%d)", name, field.Len()))
		case field.Kind() == reflect.Slice && field.Type().Elem().Kind() == reflect.Struct:
			row := reflect.New(field.Type().Elem()).Elem()
			field.Set(reflect.Append(field, row))
			fields = append(fields, "u16 count × {"+layoutOf(body, field.Index(0))+"}")
		case field.Kind() == reflect.Slice:
			fields = append(fields, textOrBytes(body, field)+" "+name)
		default:
			fields = append(fields, numberType(field)+" "+name)
		}
	}
	return strings.Join(fields, ", ")
}

func numberType(field reflect.Value) string {
	switch field.Kind() {
	case reflect.Bool:
		return "u8"
	case reflect.Int64:
		return "i64"
	}
	return fmt.Sprintf("u%d", field.Type().Bits())
}

// textOrBytes finds out which of the two a field is: Decode refuses a str that is not UTF-8.
func textOrBytes(body DecodableBody, field reflect.Value) string {
	field.SetBytes([]byte{0xFF})
	defer field.SetBytes(nil)
	switch err := reflect.New(reflect.TypeOf(body).Elem()).Interface().(DecodableBody).Decode(body.AppendTo(nil)); err {
	case ErrUTF8:
		return "str"
	case nil:
		return "bytes"
	default:
		return err.Error()
	}
}

func TestPageLimits(t *testing.T) {
	checkTable(t, docTables(t, "limit", "value")[0], [][]string{
		{"header length", fmt.Sprint(HeaderLen, " bytes")},
		{"body before LOGIN", fmt.Sprint(BodyLenMaxBeforeLogin, " bytes")},
		{"body after LOGIN, by default", fmt.Sprint(BodyLenMaxDefault, " bytes")},
		{"str or bytes field", fmt.Sprint(FieldLenMax, " bytes")},
		{"name of a user or room", fmt.Sprint(NameLenMax, " bytes")},
		{"nonce, key, proof or signature", fmt.Sprint(KeyLen, " bytes")},
		{"realm salt", fmt.Sprint(SaltLen, " bytes")},
		{"amount, balance", fmt.Sprint(AmountMax, " minor units")},
		{"legs of a batch", fmt.Sprint(BatchLegsMax)},
		{"rows of a list", fmt.Sprint(ListRowsMax)},
		{"members of a room with joined and left events", fmt.Sprint(RoomEventMembersMax)},
		{"checksum failures that close a connection", fmt.Sprint(ChecksumFaultsMax, " in ", FaultWindow)},
		{"opcodes out of state that close a connection", fmt.Sprint(StateFaultsMax, " in ", FaultWindow)},
		{"failed LOGINs that close a connection", fmt.Sprint(LoginFaultsMax)},
		{"time to log in", fmt.Sprint(ReadyDeadline)},
		{"lifetime of a session without a connection, by default", fmt.Sprint(SessionLifetimeDefault)},
		{"key derivation iterations, least", fmt.Sprint(KDFIterationsMin)},
		{"key derivation iterations, most", fmt.Sprint(KDFIterationsMax)},
	})
}
