package libproto

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

// aBody is one body of the registry: its name, a header that it may follow, and a maker of zero ones.
type aBody struct {
	name   string
	header Header
	new    maker
}

// everyBody lists all bodies from the table of opcodes, so that a new one is in every test here by being in it.
func everyBody() []aBody {
	all := []aBody{{"error", Header{Op: OpHello, Flags: FlagResponse, Status: StatusInternal}, zero[ErrorBody]}}
	for _, e := range table {
		for _, b := range []aBody{
			{e.name + " request", Header{Op: e.op}, e.request},
			{e.name + " response", Header{Op: e.op, Flags: FlagResponse}, e.response},
			{e.name + " push", Header{Op: e.op}, e.push},
		} {
			if b.new != nil {
				all = append(all, b)
			}
		}
	}
	return all
}

// fill sets every field of v, which is a body, a row or a field of one.
func fill(t *rapid.T, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i))
		}
	case reflect.Array:
		reflect.Copy(v, reflect.ValueOf(rapid.SliceOfN(rapid.Byte(), v.Len(), v.Len()).Draw(t, "array")))
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes([]byte(rapid.StringN(0, 40, 160).Filter(func(s string) bool { return ValidText([]byte(s)) }).Draw(t, "field")))
			return
		}
		rows := rapid.IntRange(1, 5).Draw(t, "rows") // TRANSFER_BATCH must have one
		v.Set(reflect.MakeSlice(v.Type(), rows, rows))
		for i := range rows {
			fill(t, v.Index(i))
		}
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "bool"))
	case reflect.Int64:
		v.SetInt(rapid.Int64().Draw(t, "int"))
	default:
		v.SetUint(rapid.Uint64().Draw(t, "uint") & (1<<v.Type().Bits() - 1))
	}
}

func drawBody(t *rapid.T, b aBody) DecodableBody {
	body := b.new()
	fill(t, reflect.ValueOf(body).Elem())
	return body
}

func forEveryBody(t *testing.T, check func(t *rapid.T, b aBody)) {
	for _, b := range everyBody() {
		t.Run(b.name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) { check(t, b) })
		})
	}
}

// Whatever is encoded comes back, into a fresh struct and into one that held something else.
func TestDecodeUndoesAppendTo(t *testing.T) {
	forEveryBody(t, func(t *rapid.T, b aBody) {
		sent, fresh, used := drawBody(t, b), b.new(), drawBody(t, b)
		wire := sent.AppendTo(nil)
		for _, got := range []DecodableBody{fresh, used} {
			if err := got.Decode(wire); err != nil {
				t.Fatalf("%x: %v", wire, err)
			}
			if !reflect.DeepEqual(got, sent) {
				t.Fatalf("%+v, want %+v", got, sent)
			}
		}
	})
}

// The encoding of a body is that of its fields in their order.
func TestAppendToWritesTheFieldsInOrder(t *testing.T) {
	forEveryBody(t, func(t *rapid.T, b aBody) {
		body := drawBody(t, b)
		if got, want := body.AppendTo(nil), wireOf(reflect.ValueOf(body).Elem()); !bytes.Equal(got, want) {
			t.Fatalf("%x, want %x", got, want)
		}
	})
}

// wireOf encodes v, which is a body, a row or a field of one, by its type alone.
func wireOf(v reflect.Value) (wire []byte) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			wire = append(wire, wireOf(v.Field(i))...)
		}
		return wire
	case reflect.Slice, reflect.Array:
		wire = []byte{byte(v.Len() >> 8), byte(v.Len())}
		for i := range v.Len() {
			wire = append(wire, wireOf(v.Index(i))...)
		}
		return wire
	case reflect.Bool:
		if v.Bool() {
			return []byte{1}
		}
		return []byte{0}
	case reflect.Int64:
		return binary.BigEndian.AppendUint64(nil, uint64(v.Int()))
	default:
		return binary.BigEndian.AppendUint64(nil, v.Uint())[8-v.Type().Size():]
	}
}

// AppendTo appends: what stood in the buffer stays, and a buffer with room is used.
func TestAppendToAppends(t *testing.T) {
	forEveryBody(t, func(t *rapid.T, b aBody) {
		body := drawBody(t, b)
		wire := body.AppendTo(nil)
		buf := make([]byte, 3, 3+len(wire))
		copy(buf, "abc")
		got := body.AppendTo(buf)
		if !bytes.Equal(got, append([]byte("abc"), wire...)) || &got[0] != &buf[0] {
			t.Fatalf("%x after abc, want %x", got, wire)
		}
	})
}

func TestTruncatedBodiesFail(t *testing.T) {
	forEveryBody(t, func(t *rapid.T, b aBody) {
		wire := drawBody(t, b).AppendTo(nil)
		body := b.new()
		for n := range wire {
			if body.Decode(wire[:n:n]) == nil {
				t.Fatalf("%d bytes of %d are accepted", n, len(wire))
			}
		}
	})
}

func TestTrailingBytesFail(t *testing.T) {
	forEveryBody(t, func(t *rapid.T, b aBody) {
		wire := append(drawBody(t, b).AppendTo(nil), rapid.Byte().Draw(t, "trailing"))
		if err := b.new().Decode(wire); err != ErrTrailing {
			t.Fatalf("%v, want ErrTrailing", err)
		}
	})
}

// A decoded field has no room behind it: appending to it can't reach into the rest of the body.
func TestDecodedFieldsHaveNoRoom(t *testing.T) {
	forEveryBody(t, func(t *rapid.T, b aBody) {
		wire := drawBody(t, b).AppendTo(nil)
		body := b.new()
		if err := body.Decode(wire); err != nil {
			t.Fatal(err)
		}
		eachField(reflect.ValueOf(body).Elem(), func(field reflect.Value) {
			if field.Len() != field.Cap() {
				t.Fatalf("len %d, cap %d in %+v", field.Len(), field.Cap(), body)
			}
		})
	})
}

// eachField calls visit for every []byte field of v and of its rows.
func eachField(v reflect.Value, visit func(field reflect.Value)) {
	switch {
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			eachField(v.Field(i), visit)
		}
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8:
		visit(v)
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			eachField(v.Index(i), visit)
		}
	}
}

// A list's rows, and nothing else, take EncodedLen bytes each.
func TestRowsHaveTheirEncodedLen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		check := func(name string, empty, full Body, rows int) {
			if got := len(full.AppendTo(nil)) - len(empty.AppendTo(nil)); got != rows {
				t.Fatalf("%s: rows take %d bytes, EncodedLen says %d", name, got, rows)
			}
		}
		var rooms RoomListResponse
		var messages RoomHistoryResponse
		var users WhoResponse
		var txns TxnHistoryResponse
		var legs TransferBatchRequest
		var results TransferBatchResponse
		for _, b := range []any{&rooms, &messages, &users, &txns, &legs, &results} {
			fill(t, reflect.ValueOf(b).Elem())
		}
		check("rooms", RoomListResponse{}, rooms, encodedLen(rooms.Rooms))
		check("messages", RoomHistoryResponse{}, messages, encodedLen(messages.Messages))
		check("users", WhoResponse{}, users, encodedLen(users.Users))
		check("transactions", TxnHistoryResponse{}, txns, encodedLen(txns.Txns))
		check("results", TransferBatchResponse{}, results, encodedLen(results.Results))
		check("legs", TransferBatchRequest{}, legs, len(legs.Legs)*transferLegLen)
	})
}

func encodedLen[R interface{ EncodedLen() int }](rows []R) (sum int) {
	for _, r := range rows {
		sum += r.EncodedLen()
	}
	return sum
}

func TestBatchHasOneToTheMostLegs(t *testing.T) {
	for legs, want := range map[int]error{0: ErrCount, 1: nil, BatchLegsMax: nil, BatchLegsMax + 1: ErrCount} {
		wire := TransferBatchRequest{Legs: make([]TransferLeg, legs)}.AppendTo(nil)
		if err := new(TransferBatchRequest).Decode(wire); err != want {
			t.Errorf("%d legs: %v, want %v", legs, err, want)
		}
	}
}

// A list that claims more rows than its body can hold fails before anything is allocated for it.
func TestListBombAllocatesNothing(t *testing.T) {
	for _, b := range everyBody() {
		body := b.new()
		if !hasRows(body) {
			continue
		}
		wire := bytes.Repeat([]byte{0xFF}, 300)
		if allocs := testing.AllocsPerRun(10, func() {
			if body.Decode(wire) != ErrShortBody {
				t.Errorf("%s: a list of 65535 rows in 300 bytes", b.name)
			}
		}); allocs != 0 {
			t.Errorf("%s: %v allocations", b.name, allocs)
		}
	}
}

func hasRows(body DecodableBody) bool {
	v := reflect.ValueOf(body).Elem()
	for i := range v.NumField() {
		if field := v.Field(i); field.Kind() == reflect.Slice && field.Type().Elem().Kind() == reflect.Struct {
			return true
		}
	}
	return false
}

func TestEmptyListsDecode(t *testing.T) {
	for _, b := range []DecodableBody{new(RoomListResponse), new(RoomHistoryResponse), new(WhoResponse), new(TxnHistoryResponse)} {
		if err := b.Decode([]byte{0, 0}); err != nil {
			t.Errorf("%T: %v", b, err)
		}
	}
}

func TestFixedFieldsHaveTheirLength(t *testing.T) {
	wire := LoginRequest{Username: []byte("alice")}.AppendTo(nil)
	for _, n := range []byte{0, KeyLen - 1, KeyLen + 1} {
		changed := bytes.Clone(wire)
		changed[2+len("alice")+1] = n
		changed = append(changed, make([]byte, 8)...) // room enough for the longer one
		if err := new(LoginRequest).Decode(changed); err != ErrLength {
			t.Errorf("proof of %d bytes: %v", n, err)
		}
	}
	hello := HelloResponse{}.AppendTo(nil)
	hello[21+2+NonceLen+1] = SaltLen - 1
	if err := new(HelloResponse).Decode(hello); err != ErrLength {
		t.Errorf("salt of 15 bytes: %v", err)
	}
}

func TestBoolsAreZeroOrOne(t *testing.T) {
	wire := UserLookupResponse{UserID: 7, Online: true}.AppendTo(nil)
	wire[len(wire)-1] = 2
	if err := new(UserLookupResponse).Decode(wire); err != ErrBool {
		t.Errorf("%v, want ErrBool", err)
	}
}

// A length that does not fit its u16 must never go out cut.
func TestOverlongFieldsPanic(t *testing.T) {
	if got := (ServerStatsResponse{JSON: make([]byte, FieldLenMax)}).AppendTo(nil); len(got) != 2+FieldLenMax {
		t.Errorf("%d bytes", len(got))
	}
	mustPanic(t, func() { ServerStatsResponse{JSON: make([]byte, FieldLenMax+1)}.AppendTo(nil) })
	mustPanic(t, func() { WhoResponse{Users: make([]UserInfo, FieldLenMax+1)}.AppendTo(nil) })
}
