// Package moneycheck finds out whether the money adds up: every answer that said "applied" must be in the final
// balances once, and nothing else.
//
//	thread 0: Book ─┐  deltas[user]        what the acked answers did to each user
//	thread 1: Book ─┼─▶ Audit ─▶ Verdict   unknown             requests without an answer
//	thread 2: Book ─┘     ▲
//	            opening and final balances, and what TXN_STATUS says of the unknown requests
//
// A request is applied (an OK answer), refused (any answer that says that nothing changed), or unknown: no answer came,
// or one that says that the outcome is not known. TXN_STATUS decides the unknown ones. Where it cannot, or where
// its word could have changed while the balances were read, the request counts as an interval: its amount or nothing.
//
// # What must hold
//
//   - Per user: final balance = opening balance + deltas, within the user's interval.
//   - In sum: final balances = opening balances + deposits − withdrawals, within the interval of the unknown deposits
//     and withdrawals alone: a transfer between two users of the run moves nothing in the sum, known or not.
//   - No balance, in an answer or at the end, is below zero.
//
// The legs of an answered batch count as transfers, each by its own result. A batch without an answer of which TXN_STATUS says that
// it was applied stays an interval: some of its legs were, and it is not told which.
//
// Both intervals are a point unless a request stayed unknown. Nobody else may use the accounts meanwhile.
package moneycheck
