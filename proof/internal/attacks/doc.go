// Package attacks measures what clients that mean harm cost those that do not. It runs a tradechatd, bystanders who make money and
// chat requests at a steady rate, and an attacker in a process of its own, which comes and goes (A B A B):
//
//	bench ─┬─ bystanders: an open loop, latency from when each request was due ──▶ tradechatd ── worker 0
//	       ├─ memory and processor time of the server's processes (procfs)  ╌╌╌╌▶      │     ╰── worker 1
//	       ├─ SERVER_STATS: connections, restarts, counters, books ───────────────▶ admin socket
//	       └─ starts, stops ──▶ attacker: connections from 127.0.0.2 and up ─────────▶ │
//	                            nicer by 10: it takes what the others leave of the machine
//
// The attacker shares the machine with its victims, as it would not elsewhere. Its niceness keeps it from taking the processor away
// from them; what it costs the kernel to carry its packets cannot be kept apart, and is part of what is measured.
//
// # Invariants
//
//   - Each attack has a server of its own, so that what it leaves behind is its own.
//   - A phase begins when the connections of the attack before it are gone.
//   - What must not happen is a fault with a text, not an end of the measurement: the other attacks are still measured.
//   - An attack that the server's counters do not show has not taken place, and is a fault too.
package attacks
