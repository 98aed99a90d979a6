// Package boundary is what all functions that C calls have in common: the results that every library has, the net that
// catches panics, and the table of handles.
package boundary

// The results that every header has, under these numbers.
const (
	OK       = 0
	Argument = -1
	Short    = -2
	Handle   = -3
	Limit    = -4
	Forked   = -5 // given by C, before Go is entered
	Internal = -6
)

// Guard turns, deferred, a panic into Internal: one that left the library would end the program of the caller.
func Guard[R ~int32](result *R) {
	if recover() != nil {
		*result = Internal
	}
}
