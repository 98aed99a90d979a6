// Package realtest is the Real Test: real load generators against real servers, case by case, and what came of it as CSV, JSON and
// pictures.
//
//	Test ── cases × rounds, in turns (A B A B) ──▶ Run ── median of the rounds ──▶ CaseResult ──▶ Result
//	                                               │                                              │ NAME.json
//	          a server of its own, tradechat-loadgen, the server's statistics every interval      │ tables, figures
//	                                                                                              ▼ findings
//
// A test is a value in tests.go: its cases, what is drawn of them, and what is found out from the numbers.
//
// # Invariants
//
//   - Each run has a server of its own, so that its counters and histograms are of this run. It counts only if the load generator's
//     verdict is good, and the server's audit at its stop.
//   - What is compared is measured within one test, in turns; numbers of two tests are not compared.
//   - A finding is computed: nothing is said that the numbers of this run do not say.
package realtest
