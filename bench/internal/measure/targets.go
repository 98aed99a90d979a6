package measure

import "tradechat.internal/testkit/figure"

// What the figures are to be.
var (
	encodeTarget       = figure.Target{Bound: figure.AtMost, Limit: 40}   // ns a TRANSFER frame, checksum included
	decodeTarget       = figure.Target{Bound: figure.AtMost, Limit: 40}   // ns
	transferTarget     = figure.Target{Bound: figure.AtMost, Limit: 80}   // ns a transfer, uncontended
	transferRateTarget = figure.Target{Bound: figure.AtLeast, Limit: 8}   // million a second, by two processes
	allocsTarget       = figure.Target{Bound: figure.AtMost, Limit: 0}    // objects a request
	echoTarget         = figure.Target{Bound: figure.AtMost, Limit: 1.3}  // times the processor time of an echo
	idleMemoryTarget   = figure.Target{Bound: figure.AtMost, Limit: 1.5}  // KiB a connection
	durabilityTarget   = figure.Target{Bound: figure.AtLeast, Limit: 0.8} // of the throughput without waiting
	addedLatencyTarget = figure.Target{Bound: figure.AtMost, Limit: 3}    // times one fdatasync
	journalTarget      = figure.Target{Bound: figure.AtLeast, Limit: 3}   // million records a second
	coldStartTarget    = figure.Target{Bound: figure.AtLeast, Limit: 4}   // million records a second
	warmStartTarget    = figure.Target{Bound: figure.AtMost, Limit: 300}  // ms
	respawnTarget      = figure.Target{Bound: figure.AtMost, Limit: 100}  // ms
)
