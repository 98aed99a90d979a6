package report

import (
	"fmt"
	"runtime"
)

const (
	// saturatedAt is the part of its processors from which on a load generator is no longer believed to keep up.
	saturatedAt = 0.9

	// believedFrom is the least time, in seconds, over which a part of the processors says anything.
	believedFrom = 0.5

	// behindAt is the part of all requests that may be sent late by the load generator's own fault.
	behindAt = 0.01
)

// SetWarnings says where the load generator may have measured itself.
func (s *Summary) SetWarnings() {
	s.Warnings = nil
	switch {
	case s.DurationS < believedFrom:
	case s.CPU.OfCores > saturatedAt:
		s.warn("the load threads used %.0f %% of the %d processors that they may use: a faster server would not show; "+
			"run the load generator on more processors", 100*s.CPU.OfCores, min(runtime.NumCPU(), s.Config.Threads))
	case s.CPU.Busiest > saturatedAt:
		s.warn("a load thread was busy for %.0f %% of the time: give it fewer connections, with more --threads", 100*s.CPU.Busiest)
	}
	if o := s.OpenLoop; o != nil && float64(o.Behind) > behindAt*float64(o.Due) {
		s.warn("the load generator came to %.1f %% of the requests more than a millisecond after they were due: the latencies are "+
			"its own as much as the server's; a load thread that could run had no processor for %.0f %% of the time",
			100*float64(o.Behind)/float64(o.Due), 100*s.CPU.Waiting)
	}
}

func (s *Summary) warn(format string, args ...any) {
	s.Warnings = append(s.Warnings, fmt.Sprintf(format, args...))
}
