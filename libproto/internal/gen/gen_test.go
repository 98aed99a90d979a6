package gen

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	sourceFolder = "../.."
	root         = "../../.."
)

func read(t *testing.T) *Protocol {
	t.Helper()
	p, err := Read(sourceFolder)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestGeneratedFilesAreCurrent(t *testing.T) {
	files, err := read(t).Files(root)
	if err != nil {
		t.Fatal(err)
	}
	stale, err := Stale(root, files)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range stale {
		t.Errorf("%s is not what libproto says → go generate ./libproto", path)
	}
}

func TestMembersLeaveNoHiddenPadding(t *testing.T) {
	p := read(t)
	want := map[string]string{
		"LoginResponse":         "uint64_t session_id;|uint64_t last_req_id;|int64_t balance;|uint32_t user_id;|uint32_t reserved;|uint8_t server_signature[TC_PROTO_KEY_LEN];",
		"HelloRequest":          "tc_proto_bytes handshake;|tc_proto_bytes agent;|uint32_t capabilities;|uint8_t version_min;|uint8_t version_max;|uint8_t reserved[2];|uint8_t client_nonce[TC_PROTO_NONCE_LEN];",
		"GoingAway":             "tc_proto_bytes detail;|uint32_t reconnect_after_ms;|uint16_t reason;|uint16_t reserved;",
		"TransferBatchResponse": "tc_proto_leg_result *rows;|size_t rows_cap;|size_t count;|int64_t balance;",
		"TxnHistoryRequest":     "uint64_t before_txn_id;|uint16_t rows_max;|uint8_t reserved[6];",
	}
	for _, s := range p.Bodies {
		text, ok := want[s.Go]
		if !ok {
			continue
		}
		delete(want, s.Go)
		var got []string
		for _, m := range p.cFields(s) {
			got = append(got, m.code)
		}
		if strings.Join(got, "|") != text {
			t.Errorf("%s:\n%s, want\n%s", s.Go, strings.Join(got, "|"), text)
		}
	}
	if len(want) > 0 {
		t.Errorf("no such bodies: %v", want)
	}
}

func TestNames(t *testing.T) {
	for goName, want := range map[string]string{
		"KDFIterations": "kdf_iterations", "LastTxnID": "last_txn_id", "JSON": "json", "RoomID": "room_id", "ToUserID": "to_user_id",
	} {
		if got := Snake(goName); got != want {
			t.Errorf("%s is %s, want %s", goName, got, want)
		}
	}
	p := read(t)
	for comment, want := range map[string]string{
		"0 unless the status is StatusOK": "0 unless the status is TC_PROTO_STATUS_OK",
		"1 … AmountMax":                   "1 … TC_PROTO_AMOUNT_MAX",
		"see Proof":                       "see tc_proto_login_proof",
		"at most HelloResponse.MessageLenMax bytes, Else": "at most tc_proto_hello_response.message_len_max bytes, Else",
	} {
		if got := p.inC(comment); got != want {
			t.Errorf("%q is %q, want %q", comment, got, want)
		}
	}
}

func TestSourceThatCannotBeReadIsNamed(t *testing.T) {
	for name, text := range map[string]string{
		"neither str nor bytes":     "package p\ntype ErrorBody struct {\n\tDetail []byte // for a person\n}\ntype Status int\nconst StatusOK Status = 0\n",
		"no statuses":               "package p\ntype ErrorBody struct{}\n",
		"no type ErrorBody":         "package p\ntype Status int\nconst StatusOK Status = 0\n",
		"no table":                  "package p\ntype ErrorBody struct{}\ntype Status int\nconst StatusOK Status = 0\n",
		"RetryAfter is a float64":   "package p\ntype ErrorBody struct{ RetryAfter float64 }\ntype Status int\nconst StatusOK Status = 0\n",
		"expected 'package', found": "no Go\n",
	} {
		folder := t.TempDir()
		if err := os.WriteFile(filepath.Join(folder, "p.go"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(folder); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v, want %q", err, name)
		}
	}
}

func TestFilesWithoutMarksAreLeftAlone(t *testing.T) {
	folder := t.TempDir()
	for _, path := range []string{"include/tradechat/proto.h", "docs/protocol.md"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(folder, path)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, path), []byte("nothing\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := read(t).Files(folder); !errors.Is(err, ErrMarks) {
		t.Errorf("%v, want %v", err, ErrMarks)
	}
}

// The order of the table is that of the opcodes, so that what is generated does not depend on how a map is walked.
func TestOpcodesAreInOrder(t *testing.T) {
	p := read(t)
	if len(p.Ops) < 28 || !slices.IsSortedFunc(p.Ops, func(a, b *Op) int { return int(a.Value) - int(b.Value) }) {
		t.Errorf("%d opcodes", len(p.Ops))
	}
}
