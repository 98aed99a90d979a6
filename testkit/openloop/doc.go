// Package openloop sends requests at a fixed rate, whatever becomes of the answers, and measures each from the moment at which it was
// due: a server that is late is not spared the requests that would have come meanwhile (coordinated omission).
//
//	due   ──┬──┬──┬──┬──┬──▶ time          request i is due at begin + i / rate
//	        │  │  ╰─ connection i mod n     behind those that wait there
//	        ╰──┴── answer: latency = now − due
//
// What is said is a closedloop.Exchange's. If it is a closedloop.Matcher, its answers may overtake one another and may be refusals;
// Asker is the one for any request to tradechat.
//
// # Invariants
//
//   - Every request of a run ends as exactly one of: a latency, or a failure (refused, lost with its connection, never answered).
//     With RunTogether, it does so on each connection.
//   - A connection that is lost is not made again: what would have been sent on it fails.
package openloop
