package worker

import (
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tradechat.internal/libproto"
	"tradechat.internal/shmstore"
)

// TestConnectionIsSmall: a worker holds as many of these as it has clients.
func TestConnectionIsSmall(t *testing.T) {
	if size := reflect.TypeFor[conn]().Size(); size > 144 {
		t.Errorf("a conn takes %d bytes", size)
	}
}

// TestConnTable adds and removes at random and compares with a map.
func TestConnTable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var table connTable
		model := map[*conn]tick{}
		var all []*conn
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			if len(all) == 0 || rapid.Bool().Draw(t, "add") {
				c, now := new(conn), tick(rapid.Uint32().Draw(t, "now"))
				table.add(c, now)
				model[c] = now
				all = append(all, c)
			} else {
				i := rapid.IntRange(0, len(all)-1).Draw(t, "victim")
				table.remove(all[i])
				delete(model, all[i])
				all[i] = all[len(all)-1]
				all = all[:len(all)-1]
			}
			if len(table.rows) != len(model) || len(table.seen) != len(model) || len(table.since) != len(model) {
				t.Fatalf("%d rows, want %d", len(table.rows), len(model))
			}
			for i, c := range table.rows {
				if now, there := model[c]; !there || int(c.row) != i || table.seen[i] != now || table.since[i] != now {
					t.Fatalf("row %d is wrong", i)
				}
			}
		}
	})
}

// TestSeats has connections enter and leave rooms at random: crowds and seats must always name each other.
func TestSeats(t *testing.T) {
	const rooms, conns = 4, 6
	rapid.Check(t, func(t *rapid.T) {
		w := &Worker{rooms: make([]crowd, rooms)}
		all := make([]conn, conns)
		type pair struct{ conn, room int }
		model := map[pair]uint64{}
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			at := pair{rapid.IntRange(0, conns-1).Draw(t, "conn"), rapid.IntRange(0, rooms-1).Draw(t, "room")}
			c := &all[at.conn]
			switch rapid.IntRange(0, 4).Draw(t, "act") {
			case 0:
				w.unseatAll(c)
				for room := range rooms {
					delete(model, pair{at.conn, room})
				}
			case 1:
				w.unseat(c, uint32(at.room))
				delete(model, at)
			default:
				if _, in := model[at]; !in {
					model[at] = rapid.Uint64().Draw(t, "pos")
					w.seatIn(c, uint32(at.room), model[at], 0)
				}
			}
			members := 0
			for room, crowd := range w.rooms {
				members += len(crowd)
				for i, m := range crowd {
					if !hasSeat(m.c, seat{uint32(room), uint32(i)}) {
						t.Fatalf("member %d of room %d has no seat", i, room)
					}
				}
			}
			seats := 0
			for i := range all {
				seats += len(all[i].seats)
				for _, s := range all[i].seats {
					if m := w.rooms[s.room][s.at]; m.c != &all[i] || m.fromPos != model[pair{i, int(s.room)}] {
						t.Fatalf("the seat %+v of conn %d is another's", s, i)
					}
				}
			}
			if members != len(model) || seats != len(model) {
				t.Fatalf("%d members, %d seats, want %d", members, seats, len(model))
			}
		}
	})
}

func hasSeat(c *conn, want seat) bool {
	for _, s := range c.seats {
		if s == want {
			return true
		}
	}
	return false
}

// TestSweepComesRound: whatever the number of connections, each that is overdue is closed in a few ticks, and no other;
// a single tick closes a bounded number.
func TestSweepComesRound(t *testing.T) {
	s := newStage(t)
	s.w.idleMax = 10
	const connections = sweepRowsMax + 5000
	for i := range connections {
		sock := &fakeSock{t: t, w: s.w, c: &conn{state: stateReady}}
		sock.c.sock = sock
		s.w.table.add(sock.c, s.w.clock.tick)
		s.w.table.since[i] = 0
	}
	s.w.clock.tick += 11
	for i := range connections {
		if i%10 != 0 { // nine of ten have been active since
			s.w.table.seen[i] = s.w.clock.tick
		}
	}
	overdue := (connections + 9) / 10
	for sweeps := 1; ; sweeps++ {
		before := len(s.w.leaving)
		s.w.sweep()
		if n := len(s.w.leaving) - before; n > sweepClosesMax {
			t.Fatalf("%d closed at once", n)
		}
		if len(s.w.leaving) == overdue {
			break
		}
		if sweeps > 10 {
			t.Fatalf("%d of %d closed after %d sweeps", len(s.w.leaving), overdue, sweeps)
		}
	}
	s.w.sweep()
	s.w.sweep()
	if n := len(s.w.leaving); n != overdue {
		t.Errorf("%d closed, want %d", n, overdue)
	}
	if n := s.metrics(0).Counters[shmstore.CounterIdleTimeouts]; n != uint64(overdue) {
		t.Errorf("%d counted", n)
	}
}

func TestTicksRoundUp(t *testing.T) {
	for d, want := range map[time.Duration]tick{0: 0, 1: 1, tickInterval: 1, tickInterval + 1: 2, time.Second: 10} {
		if got := ticks(d); got != want {
			t.Errorf("ticks(%v) is %d, not %d", d, got, want)
		}
	}
}

func allowedAtAll(op libproto.Opcode) bool {
	_, row := lookup(op)
	return row != nil
}

// TestEveryRequestHasARow: an opcode that clients may send is in the table, one that they may not is not.
func TestEveryRequestHasARow(t *testing.T) {
	for _, op := range libproto.Opcodes() {
		admin := op >= libproto.OpUserAdd
		if want := libproto.NewRequest(op) != nil && !admin; want != allowedAtAll(op) {
			t.Errorf("%v", op)
		}
	}
}
