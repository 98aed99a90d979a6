package proc

// Bench is what everything needs that runs the programs and tells how it goes.
type Bench struct {
	Binaries Binaries
	Say      func(format string, args ...any) // one line of progress
}
