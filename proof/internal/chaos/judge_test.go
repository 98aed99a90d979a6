package chaos

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"tradechat.internal/client"
	"tradechat.internal/libproto"
	"tradechat.internal/libproto/serverstats"
	"tradechat.internal/proof/internal/bankcheck"
	"tradechat.internal/proof/internal/roomcheck"
)

// drilledTeller is a teller that has made three operations, as a drill records them: a deposit of 20, a withdrawal of 10,
// both on an account that began with openingMinor, and a read.
func drilledTeller() *drill {
	b := new(bank)
	t := &teller{bank: b}
	for i, op := range []bankcheck.Op{
		{Kind: bankcheck.Deposit, Amount: 20, Balance: openingMinor + 20, Txn: 2},
		{Kind: bankcheck.Withdraw, Amount: 10, Balance: openingMinor + 10, Txn: 3},
		{Kind: bankcheck.Read, Balance: openingMinor + 10},
	} {
		op.Invoke, op.Return = int64(10*i), int64(10*i+1)
		t.book(op, nil)
	}
	t.hasRead, t.balance = true, openingMinor+10
	b.closeWindow(bankcheck.Window{Start: bankcheck.Balances{openingMinor}}, []*teller{t})
	return &drill{bank: b, opening: openingMinor, options: Options{Clients: ClientsMin}}
}

// verified and audited are what the server and the audit say of drilledTeller.
func verified() serverstats.Verdict {
	return serverstats.Verdict{OK: true, Balances: serverstats.SumOf(openingMinor + 10), Deposits: serverstats.SumOf(openingMinor + 20), Withdrawals: serverstats.SumOf(10)}
}

func audited() books {
	return books{OK: true, Last: 3, Supply: openingMinor + 10, Deposits: openingMinor + 20, Withdrawals: 10}
}

func failures(c *Certificate) (list []string) {
	for _, check := range c.Checks {
		if !check.OK {
			list = append(list, check.What)
		}
	}
	return list
}

func TestMoneyThatIsRightHolds(t *testing.T) {
	c := new(Certificate)
	drilledTeller().judgeMoney(c, verified(), audited(), nil, 0)
	if list := failures(c); len(list) != 0 || len(c.Checks) != 5 {
		t.Errorf("%d checks, failed: %q", len(c.Checks), list)
	}
}

func TestMoneyThatIsWrongIsFound(t *testing.T) {
	const order, numbers, running, onDisk, open = "one order", "no transaction number", "the running server", "the journal holds", "what was told"
	for name, c := range map[string]struct {
		lie  func(*drill, *serverstats.Verdict, *books)
		want []string
	}{
		"a lost deposit, in the books": {func(_ *drill, v *serverstats.Verdict, b *books) {
			v.Deposits, b.Deposits, b.Supply = serverstats.SumOf(openingMinor), b.Deposits-20, b.Supply-20
		}, []string{running, onDisk}},
		"a lost deposit, on the account":   {func(d *drill, _ *serverstats.Verdict, _ *books) { d.bank.windows[0].Ops[2].Balance -= 20 }, []string{order}},
		"a doubled withdrawal, on disk":    {func(_ *drill, _ *serverstats.Verdict, b *books) { b.Withdrawals, b.Supply = 20, b.Supply-10 }, []string{onDisk}},
		"a journal whose sums differ":      {func(_ *drill, _ *serverstats.Verdict, b *books) { b.Supply++ }, []string{onDisk}},
		"a journal that is damaged":        {func(_ *drill, _ *serverstats.Verdict, b *books) { b.OK = false }, []string{onDisk}},
		"a server that finds itself wrong": {func(_ *drill, v *serverstats.Verdict, _ *books) { v.OK = false }, []string{running}},
		"a number that was given twice":    {func(d *drill, _ *serverstats.Verdict, _ *books) { d.bank.windows[0].Ops[1].Txn = 2 }, []string{numbers}},
		"something that stayed unknown":    {func(d *drill, _ *serverstats.Verdict, _ *books) { d.bank.counts.unresolved.Add(1) }, []string{open}},
		"nothing that was recorded": {func(d *drill, v *serverstats.Verdict, b *books) {
			d.bank.windows = nil
			v.Deposits, v.Withdrawals = serverstats.SumOf(openingMinor), serverstats.SumOf(0)
			b.Deposits, b.Withdrawals, b.Supply = openingMinor, 0, openingMinor
		}, []string{order, numbers}},
	} {
		d, v, b, made := drilledTeller(), verified(), audited(), new(Certificate)
		c.lie(d, &v, &b)
		d.judgeMoney(made, v, b, nil, 0)
		list := failures(made)
		same := len(list) == len(c.want)
		for i := 0; same && i < len(list); i++ {
			same = strings.HasPrefix(list[i], c.want[i])
		}
		if !same {
			t.Errorf("%s: failed: %q, want %q", name, list, c.want)
		}
	}
}

func TestChatThatIsWrongIsFound(t *testing.T) {
	d := &drill{chat: &chat{rooms: []uint32{1, 2, 3}, chatters: []*chatter{{name: "ann"}, {name: "bob"}}}, target: new(target)}
	d.chat.note(roomcheck.Sent{Room: 1, Text: "hello", Acked: true, Seq: 1, Time: 5})
	for _, one := range d.chat.chatters {
		one.progress = make(chan struct{})
		for room := range roomCount {
			one.tell(room, roomcheck.Event{Kind: roomcheck.Joined})
		}
		one.tell(0, roomcheck.Event{Kind: roomcheck.Message, First: 1, Time: 5, Text: "hello"})
	}
	c := new(Certificate)
	d.judgeChat(c)
	if list := failures(c); len(list) != 0 || len(c.Checks) != 7 {
		t.Errorf("%d checks, failed: %q", len(c.Checks), list)
	}
	d.chat.chatters[1].events[0] = d.chat.chatters[1].events[0][:1]
	c = new(Certificate)
	d.judgeChat(c)
	if list := failures(c); len(list) != 1 || !strings.HasPrefix(list[0], "every acknowledged message") {
		t.Errorf("failed: %q", list)
	}
}

func TestWhatIsLeftIsFound(t *testing.T) {
	path := t.TempDir()
	held, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	if err := free(path); err != nil {
		t.Errorf("nobody holds it: %v", err)
	}
	if err := unix.Flock(int(held.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if err := free(path); err == nil {
		t.Error("somebody holds it, and it is said to be free")
	}
	if err := free(path + ".missing"); err == nil {
		t.Error("a lock that is not there is said to be free")
	}
}

// What a client is told decides what is recorded.
func TestBook(t *testing.T) {
	refusal := func(s libproto.Status) error { return &client.StatusError{Op: libproto.OpDeposit, Status: s} }
	for _, c := range []struct {
		err            error
		recorded, open int
		faults         int
	}{
		{nil, 1, 0, 0},
		{refusal(libproto.StatusInsufficientFunds), 1, 0, 0},
		{refusal(libproto.StatusServerBusy), 0, 0, 0},
		{refusal(libproto.StatusReadOnly), 0, 0, 0},
		{client.ErrConnectionLost, 0, 0, 0},
		{&client.OutcomeError{Cause: client.ErrConnectionLost}, 1, 1, 0},
		{&client.OutcomeError{Cause: refusal(libproto.StatusTimeout)}, 1, 1, 0},
		{refusal(libproto.StatusInternal), 0, 0, 1},
		{refusal(libproto.StatusExpired), 0, 0, 1},
		{client.ErrProtocol, 0, 0, 1},
	} {
		teller := &teller{bank: new(bank)}
		teller.book(bankcheck.Op{Kind: bankcheck.Deposit, Amount: 1}, c.err)
		if faults, _ := teller.bank.faults.found(); len(teller.ops) != c.recorded || len(teller.open) != c.open || faults != c.faults {
			t.Errorf("%v: %d recorded, %d open, %d faults; want %d, %d, %d", c.err, len(teller.ops), len(teller.open), faults, c.recorded, c.open, c.faults)
		}
	}
}
