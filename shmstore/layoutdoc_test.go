package shmstore

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/shm-layout.md anew from the structures")

const layoutDoc = "../docs/shm-layout.md"

// purposes says what each structure is; the page shows it above the table.
var purposes = map[string]string{
	"prefix": "At offset 0, in every layout from version 3 on: no field ever changes its place, size or meaning. " +
		"`ready` is stored last; a segment without it was never finished. Records above the word at `durableAt`, up to the one at `headAt`, are not on disk.",
	"superblock":  "At offset 0, one page, of which the prefix is the begin.",
	"control":     "One page of words that all processes contend for, a cache line each.",
	"slotRow":     "One per process: worker i has slot i, then come the master's and the journal's.",
	"metricNames": "Names the columns of all metrics rows, zero-padded, so that builds with other counters read them.",
	"metricsRow":  "One per slot, written by that slot's process alone.",
	"accountRow":  "One per user, by user id; row 0 is unused. The fold of the log for that user.",
	"userRow":     "One per user, by user id; row 0 is unused. The name never changes.",
	"Keys":        "The server's half of a user's login keys.",
	"sessionRow":  "One per session. `owner` is 0 in a free row and is taken by compare-and-swap.",
	"Record":      "One entry of the log ring, as a posting. Record seq lies at index seq modulo the ring's length.",
	"NameRecord":  "The same 128 bytes, for the kinds that create a user, replace a user's keys or create a room.",
	"roomRow":     "One per room, by room id; row 0 is unused.",
	"ringHead":    "Controls the byte ring of a room or a mailbox. `state[version & 1]` is in force.",
	"ringState":   "What a writer publishes.",
	"entryHeader": "Before each entry's bytes in a ring. Entries start at multiples of 32 bytes and never wrap.",
	"cursor":      "One per (slot, room): how far the slot has drained the room.",
	"mailboxRow":  "One per slot.",
	"addressRow":  "One per network address that connected or failed to log in lately.",
}

// TestLayoutPageIsTheCode compares docs/shm-layout.md with what the structures say.
func TestLayoutPageIsTheCode(t *testing.T) {
	want := layoutPage()
	if *update {
		if err := os.WriteFile(layoutDoc, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(layoutDoc)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not what the code says; run: go test ./shmstore -run TestLayoutPageIsTheCode -update", layoutDoc)
	}
}

func layoutPage() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# The segment\n\nPrinted from `shmstore/layout.go` by a test; do not edit. Layout version %d.\n\n", layoutVersion)
	b.WriteString("All integers are in the machine's byte order; offsets and sizes are in bytes. " +
		"The package comment of `shmstore` says who writes what, and in which order.\n\n")
	writeRegions(&b)
	for _, s := range structures {
		writeStructure(&b, s)
	}
	return b.String()
}

func writeRegions(b *strings.Builder) {
	names := [regionCount]string{
		"control", "slots", "metric names", "metrics", "dirty bitmaps", "accounts", "users", "user index", "sessions",
		"session users", "log", "rooms", "member bitmaps", "cursors", "room rings", "mailboxes", "mailbox rings", "addresses",
	}
	shape := DefaultShape()
	p := shape.plan()
	fmt.Fprintf(b, "## Regions\n\nEach begins on a page. The figures are those of the default shape with %d workers.\n\n", shape.Workers)
	b.WriteString("| region | offset | bytes |\n|---|---:|---:|\n")
	fmt.Fprintf(b, "| superblock | 0 | %d |\n", superblockBytes)
	for r, name := range names {
		fmt.Fprintf(b, "| %s | %d | %d |\n", name, p.offset[r], p.bytes[r])
	}
	fmt.Fprintf(b, "| all | | %d |\n\n", p.total)
}

func writeStructure(b *strings.Builder, s reflect.Type) {
	fmt.Fprintf(b, "## %s, %d bytes\n\n%s\n\n| offset | size | field | type |\n|---:|---:|---|---|\n", s.Name(), s.Size(), purposes[s.Name()])
	for f := range s.Fields() {
		name := f.Name
		if name == "_" {
			name = "(padding)"
		}
		fmt.Fprintf(b, "| %d | %d | %s | `%s` |\n", f.Offset, f.Type.Size(), name, strings.ReplaceAll(f.Type.String(), "shmstore.", ""))
	}
	b.WriteByte('\n')
}

func TestEveryStructureHasAPurpose(t *testing.T) {
	for _, s := range structures {
		if purposes[s.Name()] == "" {
			t.Errorf("%s has none", s.Name())
		}
	}
	if len(purposes) != len(structures) {
		t.Errorf("%d purposes, %d structures", len(purposes), len(structures))
	}
}
