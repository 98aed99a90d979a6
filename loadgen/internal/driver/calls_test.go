package driver

import (
	"testing"

	"pgregory.net/rapid"

	"tradechat.internal/loadgen/internal/mix"
)

// The table agrees with a plain list of calls, whatever is started, answered and expired in whatever order.
func TestCallTableAgreesWithList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := newCallTable(rapid.IntRange(1, 8).Draw(t, "pipeline"))
		var list []call // by age
		lastID := uint64(0)
		for now := range rapid.Int64Range(1, 300).Draw(t, "steps") {
			at := 0
			if len(list) > 0 {
				at = rapid.IntRange(0, len(list)-1).Draw(t, "which")
			}
			switch action := rapid.IntRange(0, 9).Draw(t, "action"); {
			case action < 5:
				c := table.start(kind(rapid.IntRange(0, kindCount-1).Draw(t, "kind")), now)
				if c.id <= lastID {
					t.Fatalf("req_id %d after %d", c.id, lastID)
				}
				lastID = c.id
				list = append(list, *c)
			case len(list) == 0:
			case action < 9:
				table.finish(table.find(list[at].id))
				if table.find(list[at].id) != nil {
					t.Fatal("a finished call is found")
				}
				list = append(list[:at], list[at+1:]...)
			case !list[at].expired:
				table.expire(table.find(list[at].id))
				list[at].expired = true
			}
			checkTable(t, &table, list)
		}
	})
}

func checkTable(t *rapid.T, table *callTable, list []call) {
	var oldest *call
	live, load, expired := 0, 0, 0
	for i := range list {
		found := table.find(list[i].id)
		if found == nil || found.id != list[i].id || found.expired != list[i].expired || found.kind != list[i].kind {
			t.Fatalf("find(%d) = %+v, want %+v", list[i].id, found, list[i])
		}
		if list[i].expired {
			expired++
			continue
		}
		live++
		if oldest == nil {
			oldest = found
		}
		if list[i].kind.isLoad() {
			load++
		}
	}
	if table.first() != oldest {
		t.Fatalf("first = %+v, want %+v", table.first(), oldest)
	}
	if table.live != live || table.load != load || table.expired != expired {
		t.Fatalf("live %d, load %d, expired %d; want %d, %d, %d", table.live, table.load, table.expired, live, load, expired)
	}
}

func TestCallTableIsBounded(t *testing.T) {
	table := newCallTable(1)
	for i := range slotsMax {
		if table.start(kind(mix.Balance), 0) == nil {
			t.Fatalf("full after %d calls", i)
		}
	}
	if table.start(kind(mix.Balance), 0) != nil {
		t.Error("not full")
	}
	ended := 0
	table.clear(func(*call) { ended++ })
	if ended != slotsMax || table.live != 0 || table.first() != nil {
		t.Errorf("clear ended %d calls, %d are left", ended, table.live)
	}
	if c := table.start(hello, 0); c == nil || c.id>>slotBits != slotsMax+1 {
		t.Errorf("after clear: %+v", c)
	}
}

func TestFindForgedIDs(t *testing.T) {
	table := newCallTable(2)
	c := table.start(kind(mix.Balance), 0)
	for _, id := range []uint64{0, 1, c.id + 1, c.id - 1, c.id + 1<<slotBits, c.id ^ 1<<63, ^uint64(0)} {
		if table.find(id) != nil {
			t.Errorf("find(%#x) finds something", id)
		}
	}
	table.finish(c)
	if table.find(0) != nil {
		t.Error("find(0) finds a free slot")
	}
}
