package chatcheck

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Whatever the schedule, a server that does everything right is never blamed.
func TestRightServerIsNotBlamed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, nothing)
		for range rapid.IntRange(1, 150).Draw(t, "steps") {
			w.step()
		}
		w.settle()
		for _, c := range w.clients {
			for _, m := range c.members {
				if c.up && !m.CaughtUp() {
					t.Fatalf("connection %d is at %d of room %d, target %d", c.conn, m.next, m.Room(), m.Member.room.target.Load())
				}
			}
		}
		w.finish()
		if total := w.group.Faults.Count(); total != 0 {
			t.Fatalf("%d faults: %s", total, strings.Join(w.group.Faults.Examples(), "\n"))
		}
	})
}

// One wrong deed in a schedule, whichever and whenever, is found.
func TestOneWrongDeedIsFound(t *testing.T) {
	for _, test := range []struct {
		name string
		sabotage
		finds []FaultKind // one of them
	}{
		{"drop", dropDelivery, []FaultKind{Missing}},
		{"repeat", repeatDelivery, []FaultKind{Repeated}},
		{"swap deliveries", swapDeliveries, []FaultKind{Missing, Repeated}},
		{"corrupt", corruptByte, []FaultKind{Corrupt}},
		{"swap texts", swapTexts, []FaultKind{Disagreement}},
		{"send twice", sendTwice, []FaultKind{Repeated}},
		{"forget what was acked", forgetSent, []FaultKind{NotDelivered, AckDiffers, Disagreement, Missing}},
		{"ack another room_seq", ackWrongSeq, []FaultKind{AckDiffers}},
		{"keep what was refused", keepRefused, []FaultKind{NotSent}},
		{"forge the sender", forgeSender, []FaultKind{Corrupt}},
		{"leak from another room", leakRoom, []FaultKind{Corrupt}},
		{"replay unasked", replay, []FaultKind{NotMember}},
	} {
		t.Run(test.name, func(t *testing.T) {
			struck := 0
			rapid.Check(t, func(t *rapid.T) {
				w := newWorld(t, test.sabotage)
				w.armed = rapid.IntRange(0, 100).Draw(t, "armed")
				for range rapid.IntRange(20, 100).Draw(t, "steps") {
					w.step()
				}
				w.settle()
				w.finish()
				if !w.struck {
					return // the schedule had no occasion
				}
				struck++
				for _, kind := range test.finds {
					if w.group.Faults.Of(kind) > 0 {
						return
					}
				}
				t.Fatalf("none of %v found, but: %q", test.finds, w.group.Faults.Examples())
			})
			if struck < 10 {
				t.Errorf("the server did wrong in %d schedules only", struck)
			}
		})
	}
}
