package measure

import "time"

const (
	// ConnectionsMax and RoundsMax bound what can be asked for.
	ConnectionsMax = 60_000
	RoundsMax      = 1000
	WorkersMax     = 64

	// descriptorsSpare is how many descriptors this process needs beside its connections.
	descriptorsSpare = 64

	// sessionsLeast is the smallest session table that the server makes.
	sessionsLeast = 16

	// quietFor is how long resident memory must not have changed by more than quietBytes, quietMax how long that is waited for.
	quietEvery = 250 * time.Millisecond
	quietFor   = 2 * time.Second
	quietMax   = 30 * time.Second
	quietBytes = 64 << 10

	// objectBytesMin is the size of the smallest object of Go's heap (runtime/sizeclasses.go).
	objectBytesMin = 8

	// stableFor is how long a worker must have run for its end not to count as a crash loop, which the server answers
	// with a pause.
	stableFor = 2200 * time.Millisecond
)
