package liblog_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"tradechat.internal/liblog"
)

type opcode uint16

func (opcode) String() string { return "TRANSFER" }

type status uint16

func (status) String() string { return "ERR_CHECKSUM_FAIL" }

// A worker writes the first events of a kind and the count of the rest.
func Example() {
	var out strings.Builder
	log := liblog.New(liblog.Options{
		Writer: &out, Format: liblog.FormatJSON, Role: "worker", Repeat: liblog.RepeatLimit{Events: 1},
	}).WithSlot(2)
	for reqID := range uint64(124) {
		e := log.Limited(liblog.LevelWarn, "checksum-fail")
		liblog.Request(e, 88, reqID, opcode(0), status(0)).Msg("frame refused")
	}
	log.Close()

	for line := range strings.Lines(out.String()) {
		var f map[string]any
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		fmt.Println(f["role"], f["slot"], f["event"], f["status"], f["suppressed"], f["message"])
	}
	// Output:
	// worker 2 checksum-fail ERR_CHECKSUM_FAIL <nil> frame refused
	// worker 2 checksum-fail <nil> 123 repeated
}
