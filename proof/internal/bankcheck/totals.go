package bankcheck

// Totals is what a history says was brought in and taken out, in minor units.
type Totals struct {
	Deposits, Withdrawals int64
	// What unknown operations may have added.
	DepositsMaybe, WithdrawalsMaybe int64
}

// Sum adds up a history.
func Sum(windows []Window) (t Totals) {
	for _, w := range windows {
		for _, op := range w.Ops {
			t.add(op)
		}
	}
	return t
}

func (t *Totals) add(op Op) {
	switch {
	case op.Kind == Deposit && op.Outcome == Applied:
		t.Deposits += op.Amount
	case op.Kind == Deposit && op.Outcome == Unknown:
		t.DepositsMaybe += op.Amount
	case op.Kind == Withdraw && op.Outcome == Applied:
		t.Withdrawals += op.Amount
	case op.Kind == Withdraw && op.Outcome == Unknown:
		t.WithdrawalsMaybe += op.Amount
	}
}

// Fit reports whether books with these sums can be those of the history.
func (t Totals) Fit(deposits, withdrawals int64) bool {
	return t.Deposits <= deposits && deposits <= t.Deposits+t.DepositsMaybe &&
		t.Withdrawals <= withdrawals && withdrawals <= t.Withdrawals+t.WithdrawalsMaybe
}
