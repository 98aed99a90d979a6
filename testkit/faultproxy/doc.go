// Package faultproxy is a TCP proxy on loopback that damages what goes through it, on command.
//
//	client ──▶ ┌────────────┐ ──▶ server (its address may change)
//	client ──▶ │ Cut        │ ──▶
//	client ──▶ │ Delay      │ ──▶
//	           │ Drop       │
//	           │ TurnAway   │
//	           └────────────┘
//
// It does what a network can do to a TCP connection, and no more: bytes come late, or not at all from some byte on. What came
// through is in order and whole; a connection of which bytes were dropped never carries another one, and is ended.
//
// # Invariants
//
//   - When one side ends, the other is ended too, and what was delayed is dropped.
//   - Close ends everything and returns when it has ended.
package faultproxy
