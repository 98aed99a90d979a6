package liblog

import "time"

const (
	// RepeatEvents and RepeatWindow are the RepeatLimit that Options leaves zero.
	RepeatEvents = 5
	RepeatWindow = 10 * time.Second

	// RepeatKeysMax bounds the keys that Limited tells apart. Further keys share one entry: they are still
	// written and counted, but together.
	RepeatKeysMax = 256

	// QueueBytes bounds the lines that wait in a Queue for a slow reader; as many may be in its goroutine's hands. Lines beyond that are
	// dropped and counted.
	QueueBytes = 128 << 10

	// FlushMax is how long Close waits for the reader of a Queue.
	FlushMax = time.Second

	// atomicBytes is PIPE_BUF: what one write(2) puts into a pipe in one piece (pipe(7)).
	atomicBytes = 4096
)
