package role

import (
	"slices"
	"testing"

	"tradechat.internal/server/internal/config"
	"tradechat.internal/shmstore"
)

// TestSlotsAreTheSegments: every slot of a segment but the master's belongs to exactly one role.
func TestSlotsAreTheSegments(t *testing.T) {
	for _, workers := range []int{1, 3, config.WorkersMax} {
		c := config.Defaults()
		c.Workers = workers
		shape := shmstore.DefaultShape()
		shape.Workers = workers
		slots := []int{shape.MasterSlot()}
		for _, p := range Table {
			slots = append(slots, p.Slots(c)...)
		}
		slices.Sort(slots)
		for i, slot := range slots {
			if slot != i {
				t.Fatalf("%d workers: slots %v", workers, slots)
			}
		}
		if len(slots) != shape.Slots() {
			t.Errorf("%d workers: the roles have %d slots, a segment %d", workers, len(slots), shape.Slots())
		}
		if writer, _ := Of(LogWriter); !slices.Equal(writer.Slots(c), []int{shape.LogWriterSlot()}) {
			t.Errorf("%d workers: the log writer has slot %v, the segment says %d", workers, writer.Slots(c), shape.LogWriterSlot())
		}
	}
}

func TestRowsAreComplete(t *testing.T) {
	names := map[Name]bool{}
	for i, p := range Table {
		if p.Name == "" || p.Title == "" || p.Comm == "" || p.Ready == "" || p.EndMax <= 0 || names[p.Name] {
			t.Errorf("row %d: %+v", i, p)
		}
		names[p.Name] = true
		if p.Settles && (i != 0 || p.PerWorker) {
			t.Errorf("%s settles the segment: it must be the first row, and one process", p.Title)
		}
		if name := p.CommName(config.WorkersMax - 1); len(name) > commBytesMax || name == p.CommName(0) == p.PerWorker {
			t.Errorf("%s is called %q", p.Title, name)
		}
	}
	if _, known := Of("exporter"); known {
		t.Error("a role that is not in the table is known")
	}
}
