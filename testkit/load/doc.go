// Package load runs one tradechat-loadgen against a server, and reads what it has written.
//
//	Start ── process ──▶ result.json, intervals.csv, latencies.hgrm in a folder of its own ── Wait ──▶ Result
//
// # Invariants
//
//   - Start has either failed, and nothing is left, or returned a Load whose Discard the caller defers.
//   - Wait returns no error only of a load whose verdict was good.
package load
