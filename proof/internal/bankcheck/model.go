package bankcheck

import "github.com/anishathalye/porcupine"

// step is what an operation does to the balances of its group, and whether it can have been answered as it was.
func step(b Balances, op Op) (Balances, bool) {
	after := b
	switch op.Kind {
	case Deposit:
		after[op.Account] += op.Amount
	case Withdraw:
		after[op.Account] -= op.Amount
	case Transfer:
		after[op.Account] -= op.Amount
		after[op.To] += op.Amount
	}
	short := after[op.Account] < 0
	switch op.Outcome {
	case Refused:
		return b, short
	case Unknown:
		return after, !short
	}
	return after, !short && after[op.Account] == op.Balance
}

// model is the accounts of a group from a window's start on.
func model(start Balances) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return start },
		Step: func(state, input, _ any) (bool, any) {
			after, possible := step(state.(Balances), input.(Op))
			return possible, after
		},
	}
}

// doubtfulModel is model for a window with unknown operations: one of those may have happened or not.
func doubtfulModel(start Balances) porcupine.Model {
	m := porcupine.NondeterministicModel{
		Init: func() []any { return []any{start} },
		Step: func(state, input, _ any) (states []any) {
			op := input.(Op)
			if op.Outcome == Unknown {
				states = append(states, state)
			}
			if after, possible := step(state.(Balances), op); possible {
				states = append(states, after)
			}
			return states
		},
	}
	return m.ToModel()
}
