package bankcheck

import (
	"cmp"
	"fmt"
	"slices"
)

// Order checks the numbers of all transactions that were answered, of all groups together.
func Order(windows []Window) (r Result) {
	var byInvoke []Op
	for _, w := range windows {
		for _, op := range w.Ops {
			if op.moved() {
				byInvoke = append(byInvoke, op)
			}
		}
	}
	r.Checked = len(byInvoke)
	r.numberedOnce(byInvoke)
	byReturn := slices.Clone(byInvoke)
	slices.SortFunc(byInvoke, func(a, b Op) int { return cmp.Compare(a.Invoke, b.Invoke) })
	slices.SortFunc(byReturn, func(a, b Op) int { return cmp.Compare(a.Return, b.Return) })
	var latest Op // of those that had returned
	for _, op := range byInvoke {
		for len(byReturn) > 0 && byReturn[0].Return < op.Invoke {
			if byReturn[0].Txn > latest.Txn {
				latest = byReturn[0]
			}
			byReturn = byReturn[1:]
		}
		if latest.Txn >= op.Txn {
			r.fail(fmt.Sprintf("transaction %d was answered before transaction %d was asked for (%v; %v)", latest.Txn, op.Txn, latest, op))
		}
	}
	return r
}

// numberedOnce finds transactions that two operations were told of.
func (r *Result) numberedOnce(ops []Op) {
	seen := make(map[uint64]Op, len(ops))
	for _, op := range ops {
		if other, twice := seen[op.Txn]; twice {
			r.fail(fmt.Sprintf("transaction %d is the answer to two operations (%v; %v)", op.Txn, other, op))
		}
		seen[op.Txn] = op
	}
}
