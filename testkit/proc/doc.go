// Package proc runs other programs for the measurements, as processes of their own, and sees to it that none is left.
//
//	bench ── Start ──▶ process (a process group of its own)
//	  │                   ▲ SIGTERM from the kernel when bench is gone, however it went
//	  └── Stop ───────────┘ SIGTERM, after stopMax SIGKILL; by the process itself, never by a name or a number of old
//
// # Invariants
//
//   - Every process that Start made is waited for, and ends at the latest with Stop or with this process.
//   - A Ctrl-C reaches this process only: it decides when the others stop, and in which order.
//   - Children do not see TRADECHAT_ variables: what is measured is what the flags say.
package proc
