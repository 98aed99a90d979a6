package worker

import (
	"fmt"
	"math"
	"sync"
	"testing"

	"tradechat.internal/libproto"
	"tradechat.internal/server/internal/config"
)

func TestMoney(t *testing.T) {
	c := startCluster(t, nil)
	c.addUser("alice", 0)
	bob := c.addUser("bob", 0)
	p := c.workers[0].enter(t, "alice")
	var r libproto.TxnResponse
	p.ask(libproto.OpDeposit, libproto.DepositRequest{Amount: 100}, &r)
	if r.Balance != 100 || r.TxnID == 0 {
		t.Errorf("deposit: %+v", r)
	}
	last := r.TxnID
	p.ask(libproto.OpWithdraw, libproto.WithdrawRequest{Amount: 30}, &r)
	if r.Balance != 70 || r.TxnID != last+1 {
		t.Errorf("withdraw: %+v", r)
	}
	p.ask(libproto.OpTransfer, libproto.TransferRequest{ToUserID: bob, Amount: 20}, &r)
	if r.Balance != 50 || r.TxnID != last+2 {
		t.Errorf("transfer: %+v", r)
	}
	for _, refusal := range []struct {
		want libproto.Status
		op   libproto.Opcode
		body libproto.Body
	}{
		{libproto.StatusInvalidArgument, libproto.OpDeposit, libproto.AmountRequest{}},
		{libproto.StatusInvalidArgument, libproto.OpDeposit, libproto.AmountRequest{Amount: 1 << 63}},
		{libproto.StatusLimit, libproto.OpDeposit, libproto.AmountRequest{Amount: math.MaxInt64}},
		{libproto.StatusInvalidArgument, libproto.OpWithdraw, libproto.AmountRequest{}},
		{libproto.StatusInsufficientFunds, libproto.OpWithdraw, libproto.AmountRequest{Amount: 51}},
		{libproto.StatusInvalidArgument, libproto.OpTransfer, libproto.TransferRequest{ToUserID: p.user, Amount: 1}},
		{libproto.StatusInvalidArgument, libproto.OpTransfer, libproto.TransferRequest{ToUserID: bob}},
		{libproto.StatusNotFound, libproto.OpTransfer, libproto.TransferRequest{ToUserID: 99, Amount: 1}},
		{libproto.StatusNotFound, libproto.OpTransfer, libproto.TransferRequest{Amount: 1}},
		{libproto.StatusInsufficientFunds, libproto.OpTransfer, libproto.TransferRequest{ToUserID: bob, Amount: 51}},
		{libproto.StatusBadPacket, libproto.OpTransferBatch, libproto.TransferBatchRequest{}},
	} {
		p.refused(refusal.want, refusal.op, refusal.body)
	}
	var b libproto.BalanceResponse
	p.ask(libproto.OpBalance, libproto.Empty{}, &b)
	if b.Balance != 50 || b.LastTxnID != last+2 {
		t.Errorf("balance after refusals: %+v", b)
	}

	var h libproto.TxnHistoryResponse
	p.ask(libproto.OpTxnHistory, libproto.TxnHistoryRequest{RowsMax: 9}, &h)
	want := []libproto.TxnInfo{
		{TxnID: last + 2, Kind: libproto.TxnTransferOut, PeerUserID: bob, Delta: -20, BalanceAfter: 50},
		{TxnID: last + 1, Kind: libproto.TxnWithdraw, Delta: -30, BalanceAfter: 70},
		{TxnID: last, Kind: libproto.TxnDeposit, Delta: 100, BalanceAfter: 100},
	}
	if len(h.Txns) != len(want) {
		t.Fatalf("history: %+v", h.Txns)
	}
	for i, got := range h.Txns {
		want[i].TimeNs = got.TimeNs
		if got != want[i] || got.TimeNs == 0 {
			t.Errorf("history row %d: %+v, not %+v", i, got, want[i])
		}
	}
	p.ask(libproto.OpTxnHistory, libproto.TxnHistoryRequest{BeforeTxnID: last + 1, RowsMax: 9}, &h)
	if len(h.Txns) != 1 || h.Txns[0].TxnID != last {
		t.Errorf("history before: %+v", h.Txns)
	}
	c.verify()
}

func TestBatch(t *testing.T) {
	c := startCluster(t, nil)
	c.addUser("alice", 100)
	bob := c.addUser("bob", 0)
	p := c.workers[0].enter(t, "alice")
	request := libproto.TransferBatchRequest{Legs: []libproto.TransferLeg{
		{ToUserID: bob, Amount: 60}, {ToUserID: bob, Amount: 60}, {ToUserID: 99, Amount: 1}, {ToUserID: p.user, Amount: 1},
		{ToUserID: bob, Amount: 0}, {ToUserID: bob, Amount: 40},
	}}
	want := []libproto.Status{libproto.StatusOK, libproto.StatusInsufficientFunds, libproto.StatusNotFound,
		libproto.StatusInvalidArgument, libproto.StatusInvalidArgument, libproto.StatusOK}
	var r libproto.TransferBatchResponse
	p.ask(libproto.OpTransferBatch, request, &r)
	if r.Balance != 0 || len(r.Results) != len(want) {
		t.Fatalf("%+v", r)
	}
	for i, leg := range r.Results {
		if leg.Status != want[i] || (leg.TxnID != 0) != (want[i] == libproto.StatusOK) {
			t.Errorf("leg %d: %+v", i, leg)
		}
	}
	most := libproto.TransferBatchRequest{Legs: make([]libproto.TransferLeg, libproto.BatchLegsMax)}
	p.ask(libproto.OpTransferBatch, most, &r)
	if len(r.Results) != libproto.BatchLegsMax {
		t.Errorf("%d results", len(r.Results))
	}
}

func TestRetries(t *testing.T) {
	c := startCluster(t, nil)
	c.addUser("alice", 100)
	bob := c.addUser("bob", 0)
	p := c.workers[0].enter(t, "alice")
	transfer := libproto.TransferRequest{ToUserID: bob, Amount: 10}
	var first, again libproto.TxnResponse
	if f := p.ask(libproto.OpTransfer, transfer, &first); f.Flags != libproto.FlagResponse {
		t.Errorf("flags %v", f.Flags)
	}
	p.reqID--
	f := p.ask(libproto.OpTransfer, transfer, &again)
	if f.Flags != libproto.FlagResponse|libproto.FlagReplayed || again != first {
		t.Errorf("retry: flags %v, %+v instead of %+v", f.Flags, again, first)
	}
	p.reqID--
	transfer.Amount++
	p.refused(libproto.StatusInvalidArgument, libproto.OpTransfer, transfer)

	var s libproto.TxnStatusResponse
	p.ask(libproto.OpTxnStatus, libproto.TxnStatusRequest{SessionID: p.session, ReqID: p.reqID}, &s)
	if s != (libproto.TxnStatusResponse{Outcome: libproto.TxnApplied, TxnID: first.TxnID, BalanceAfter: 90}) {
		t.Errorf("status: %+v", s)
	}
	p.ask(libproto.OpTxnStatus, libproto.TxnStatusRequest{SessionID: p.session, ReqID: 1 << 40}, &s)
	if s != (libproto.TxnStatusResponse{Outcome: libproto.TxnPending}) {
		t.Errorf("status of what was never asked: %+v", s)
	}
}

// TestTransfersFromTwoWorkers: money goes round between users of two workers, many requests in each write.
func TestTransfersFromTwoWorkers(t *testing.T) {
	const users, rounds, depth = 8, 20, 25
	c := startCluster(t, func(s *config.Config) { s.Workers = 2 })
	var peers []*peer
	for i := range users {
		c.addUser(fmt.Sprint("user", i), 1000)
		peers = append(peers, c.workers[i%2].enter(t, fmt.Sprint("user", i)))
	}
	var all sync.WaitGroup
	for i, p := range peers {
		all.Go(func() {
			for round := range rounds {
				var batch []byte
				for n := range depth {
					to := peers[(i+1+(round+n)%(users-1))%users].user
					transfer := libproto.TransferRequest{ToUserID: to, Amount: uint64(n + 1)}
					batch = append(batch, p.request(libproto.OpTransfer, transfer)...)
				}
				p.write(batch)
				for range depth {
					switch f := p.response(); f.Status {
					case libproto.StatusOK, libproto.StatusInsufficientFunds, libproto.StatusServerBusy:
					default:
						t.Errorf("%v", f.Status)
					}
				}
			}
		})
	}
	all.Wait()
	report, err := c.master.Verify()
	must(t, err)
	if !report.OK() {
		t.Error(report)
	}
	total := int64(0)
	for _, p := range peers {
		balance, _, err := c.master.Balance(p.user)
		must(t, err)
		total += balance
	}
	if total != users*1000 {
		t.Errorf("%d in all", total)
	}
}
