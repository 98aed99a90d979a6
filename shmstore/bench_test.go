package shmstore

import (
	"fmt"
	"testing"
)

func benchStore(b *testing.B, users int) (*Store, []Session) {
	shape := DefaultShape()
	st := newStore(b, shape)
	sessions := make([]Session, users)
	for i := range sessions {
		sessions[i] = login(b, st, fmt.Sprintf("user%d", i), 1<<40)
	}
	return st, sessions
}

// BenchmarkTransfer is one transfer with nobody else about: check, two account locks,
// log lock, record, commit, apply.
func BenchmarkTransfer(b *testing.B) {
	for _, mode := range []LockMode{LockPerAccount, LockGlobal} {
		b.Run(mode.String(), func(b *testing.B) {
			shape := DefaultShape()
			shape.LockMode = mode
			st := newStore(b, shape)
			from, to := login(b, st, "from", 1<<60), login(b, st, "to", 0)
			reqID := uint64(0)
			b.ReportAllocs()
			for b.Loop() {
				reqID++
				if _, err := st.Transfer(from, reqID, to.User, 1); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDeposit(b *testing.B) {
	st, sessions := benchStore(b, 1)
	reqID := uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		reqID++
		if _, err := st.Deposit(sessions[0], reqID, 1); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSendAndDrain(b *testing.B) {
	st, sessions := benchStore(b, 1)
	room, _, err := st.OpenRoom([]byte("lobby"))
	if err != nil {
		b.Fatal(err)
	}
	if _, err := st.Join(sessions[0], room); err != nil {
		b.Fatal(err)
	}
	message := make([]byte, 64)
	visit := func(Event) {}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := st.Send(sessions[0], room, message); err != nil {
			b.Fatal(err)
		}
		st.DrainRoom(room, visit)
	}
}

func BenchmarkOnline(b *testing.B) {
	st, _ := benchStore(b, 1)
	for b.Loop() {
		st.seg.Online(77)
	}
}
