package bankcheck

import (
	"fmt"
	"slices"
	"strings"

	"github.com/anishathalye/porcupine"
)

// Linear searches, for each window, an order of its operations that explains all answers.
func Linear(windows []Window) (r Result) {
	for i, w := range windows {
		if len(w.Ops) == 0 {
			continue
		}
		r.Checked++
		if verdict := w.check(); verdict != porcupine.Ok {
			r.fail(w.describe(i, verdict))
		}
	}
	return r
}

func (w Window) check() porcupine.CheckResult {
	m := model(w.Start)
	if slices.ContainsFunc(w.Ops, func(op Op) bool { return op.Outcome == Unknown }) {
		m = doubtfulModel(w.Start)
	}
	return porcupine.CheckOperationsTimeout(m, w.history(), windowMax)
}

// history is the window as porcupine wants it. Unknown operations go on until its end.
func (w Window) history() []porcupine.Operation {
	end := w.Ops[0].Return
	for _, op := range w.Ops {
		end = max(end, op.Return)
	}
	history := make([]porcupine.Operation, len(w.Ops))
	for i, op := range w.Ops {
		history[i] = porcupine.Operation{ClientId: op.Client, Input: op, Call: op.Invoke, Return: op.Return}
		if op.Outcome == Unknown {
			history[i].Return = end
		}
	}
	return history
}

// describe names the window and its smallest part from the start that has no order: the last operation of it is the one that
// cannot be.
func (w Window) describe(number int, verdict porcupine.CheckResult) string {
	what := fmt.Sprintf("group %d, window %d, from balances %v", w.Group, number, w.Start)
	if verdict == porcupine.Unknown {
		return fmt.Sprintf("%s: no order of its %d operations was found within %v", what, len(w.Ops), windowMax)
	}
	slices.SortFunc(w.Ops, func(a, b Op) int { return int(a.Return - b.Return) })
	for n := range w.Ops {
		part := Window{Start: w.Start, Ops: w.until(n)}
		if part.check() == porcupine.Illegal {
			return fmt.Sprintf("%s: no order explains operation %d of %d, %v; before it: %s",
				what, n+1, len(w.Ops), w.Ops[n], tail(w.Ops[:n]))
		}
	}
	return fmt.Sprintf("%s: no order explains its %d operations", what, len(w.Ops))
}

// until is what had been called when operation n returned; what had not returned by then is unknown.
func (w Window) until(n int) []Op {
	end := w.Ops[n].Return
	ops := slices.Clone(w.Ops[:n+1])
	for _, op := range w.Ops[n+1:] {
		if op.Invoke <= end && op.Kind != Read && op.Outcome != Refused {
			op.Outcome, op.Return = Unknown, end
			ops = append(ops, op)
		}
	}
	return ops
}

// contextOps is how many operations before the one that cannot be are described.
const contextOps = 4

func tail(ops []Op) string {
	var text []string
	for _, op := range ops[max(0, len(ops)-contextOps):] {
		text = append(text, op.String())
	}
	return strings.Join(text, "; ")
}
