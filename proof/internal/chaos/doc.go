// Package chaos is the drill: a server under a load of money and chat, to which a seeded nemesis does at random moments what
// can happen to a server, and at the end a certificate of what held.
//
//	bank clients ─┐                  ┌──▶ tradechatd: master, workers, log writer ──▶ data folder, where possible on a disk of its own
//	              ├──▶ faultproxy ───┘         ▲                                        ▲
//	chat clients ─┘     ▲ cut, delay, drop     │ kill -9, stop, start, reboot           │ full
//	                    └───────────────── nemesis ──────────────────────────────────────┘
//	     histories ───────────▶ bankcheck, roomcheck ──▶ certificate ◀── audit, statistics, what is left
//
// The clients are the Go client library's, which comes back, resumes and repeats by itself. Every operation is recorded with
// the moments of its call and its return, and every push that a member of a room was given.
//
// The seed decides what the nemesis does and how long it waits in between; when exactly that meets the server is up to the
// machine. A run that is repeated does the same things, not at the same instructions.
//
// # Invariants
//
//   - Only processes that the drill started are killed or stopped: each by a descriptor of its own (pidfd), or as children
//     of a master that stands still. Each that was stopped is continued.
//   - When the load ends the nemesis has ended, and what it damaged works again: what does not hold then was the server.
//   - A check that had nothing to check did not hold.
package chaos
