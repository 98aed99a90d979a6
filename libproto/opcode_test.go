package libproto

import (
	"slices"
	"testing"
)

func TestIndexIsDenseAndExact(t *testing.T) {
	all := Opcodes()
	if len(all) != OpcodeCount || !slices.IsSorted(all) {
		t.Fatalf("%d opcodes: %v", len(all), all)
	}
	for value := range 1 << 16 {
		op := Opcode(value)
		i, ok := op.Index()
		want := slices.Index(all, op)
		if ok != (want >= 0) || ok && i != want {
			t.Errorf("%v: index %d %v, want %d", op, i, ok, want)
		}
	}
}

func TestOpcodeNames(t *testing.T) {
	seen := map[string]bool{}
	for _, op := range Opcodes() {
		if name := op.String(); name == "" || seen[name] {
			t.Errorf("0x%04X is called %q", uint16(op), name)
		}
		seen[op.String()] = true
	}
	for op, want := range map[Opcode]string{
		OpHello: "HELLO", OpUserLookup: "USER_LOOKUP", OpTransfer: "TRANSFER", OpServerStats: "SERVER_STATS",
		0: "0x0000", 0x0007: "0x0007", 0x0100: "0x0100", 0x7777: "0x7777", 0xFFFF: "0xFFFF",
	} {
		if got := op.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// An opcode is either a push or a request with a response; an unknown one has no body at all.
func TestRegistry(t *testing.T) {
	for value := range 1 << 16 {
		op := Opcode(value)
		_, known := op.Index()
		request, response, push := NewRequest(op) != nil, NewResponse(op) != nil, NewPush(op) != nil
		if request != response || known != (request != push) || !known && request {
			t.Errorf("%v: request %v, response %v, push %v", op, request, response, push)
		}
	}
	if a, b := NewRequest(OpTransfer), NewRequest(OpTransfer); a == b {
		t.Error("two requests share one body")
	}
}

func TestEnumNames(t *testing.T) {
	cases := []struct{ got, want string }{
		{StatusOK.String(), "OK"},
		{StatusInternal.String(), "ERR_INTERNAL"},
		{StatusRateLimit.String(), "ERR_SERVER_BUSY"},
		{Status(StatusCount).String(), "status(15)"},
		{GoingAwayShutdown.String(), "shutdown"},
		{GoingAwayAbuse.String(), "protocol abuse"},
		{GoingAwayRevoked.String(), "keys changed"},
		{GoingAwayReason(0).String(), "reason(0)"},
		{RoomEventGap.String(), "gap"},
		{RoomEventKind(4).String(), "event(4)"},
		{TxnTransferIn.String(), "transfer in"},
		{TxnKind(0).String(), "kind(0)"},
		{TxnForgotten.String(), "no longer known"},
		{TxnPending.String(), "pending"},
		{TxnOutcome(4).String(), "outcome(4)"},
	}
	for _, c := range cases {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
