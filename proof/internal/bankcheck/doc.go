// Package bankcheck finds out whether what clients were told of their money can be true: whether there is one order of all
// operations, in which each took effect once between its call and its return, that explains every answer.
//
//	group of accounts, between which all transfers stay             its state
//	  client 0  ──deposit──      ──transfer──        ─read─
//	  client 1     ───transfer────   ──withdraw──    ─read─   ═══▶  all three balances, read while nothing was under way
//	  client 2  ─read─  ───────transfer (answer lost)─read─
//	            └──────────────── window ───────────────┘└──── the next window begins with them ────
//
// Transfers tie accounts together, so a history cannot be split by account. It is split by group, and in time: where no
// operation of a group is under way and all of its balances have been read, the state is known, and what is behind it does not
// depend on what is before. Each window is given to porcupine, which searches for an order.
//
// Beside that there are checks of what a window does not see:
//
//   - Order: the numbers of the transactions are one order for the whole server, and must be one that the clock allows: what
//     returned before another operation was called has the lower number. No number is given twice.
//   - Totals: what was applied adds up to what the server's books and the journal say.
//
// # Invariants
//
//   - An operation that had no effect, certainly, is not in a history. One of which nobody could say what became of it is,
//     as Unknown: it may have happened or not, and at any time until the end of its window.
//   - A window that could not be decided in time is no window that holds.
package bankcheck
