package serverstats

import (
	"encoding/json"
	"errors"
	"testing"
)

func TestSums(t *testing.T) {
	const text = `{"ok":true,"balances":340282366920938463463374607431768211455,"deposits":7,"later_key":{}}`
	var v Verdict
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	if _, fits := v.Balances.Uint64(); fits {
		t.Error("128 bits fit into 64")
	}
	if n, fits := v.Deposits.Uint64(); !fits || n != 7 || v.Deposits != SumOf(7) {
		t.Errorf("%d, %v", n, fits)
	}
	out, err := json.Marshal(v.Balances)
	if err != nil || string(out) != string(v.Balances) {
		t.Errorf("%s, %v", out, err)
	}
	for _, bad := range []string{`"7"`, `-7`, `7.5`, `1e3`, `null`} {
		var s Sum
		if err := s.UnmarshalJSON([]byte(bad)); !errors.Is(err, errSum) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestBusiest(t *testing.T) {
	if _, err := (Report{Workers: []Worker{{State: StateDown}}}).Busiest(); !errors.Is(err, ErrNoWorker) {
		t.Errorf("%v", err)
	}
	r := Report{Workers: []Worker{{PID: 3, State: StateRunning, Connections: 1}, {PID: 4, State: StateRunning, Connections: 2}, {PID: 5, State: StateStarting, Connections: 9}}}
	if w, err := r.Busiest(); err != nil || w.PID != 4 {
		t.Errorf("%+v, %v", w, err)
	}
	if pids := r.WorkerPIDs(); len(pids) != 3 {
		t.Errorf("%v", pids)
	}
}

func TestWhatIsNotJSON(t *testing.T) {
	if _, err := Decode([]byte("{")); err == nil {
		t.Error("no error")
	}
}
