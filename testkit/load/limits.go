package load

import "time"

const (
	// requestsMax is how long the first request may take: accounts and rooms are made before it.
	requestsMax = time.Minute

	// requestsEvery is how often it is looked for.
	requestsEvery = 10 * time.Millisecond

	// resultFile, intervalsFile and latenciesFile are what a load generator writes.
	resultFile    = "result.json"
	intervalsFile = "intervals.csv"
	latenciesFile = "latencies.hgrm"
)
