package faultproxy

import "time"

const (
	// dialMax is how long the server may take to accept.
	dialMax = 2 * time.Second

	// chunkBytes is what one read takes: what is delayed or cut as one.
	chunkBytes = 32 << 10

	// cutWithinBytes is how many bytes a cut connection may still carry, cutAfterMax how long it waits for them: a
	// cut comes between two frames, or in the middle of one.
	cutWithinBytes = 400
	cutAfterMax    = 50 * time.Millisecond
)
