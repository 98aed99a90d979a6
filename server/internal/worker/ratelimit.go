package worker

import "time"

// rateLimit is a token bucket for each connection that holds one second's requests, kept as the virtual schedule of
// GCRA (ITU-T I.371): a connection needs a single number, the time at which its next request would be due if requests
// came evenly spaced. One that is due more than a second ahead finds the bucket empty.
type rateLimit struct {
	spacingNs uint64 // between two requests at the limit; 0: no limit
}

const rateBurstNs = uint64(time.Second)

func newRateLimit(perSecond uint32) rateLimit {
	if perSecond == 0 {
		return rateLimit{}
	}
	return rateLimit{spacingNs: max(1, uint64(time.Second)/uint64(perSecond))}
}

// admit takes n tokens from c's bucket. If they are not there it says after how many milliseconds they will be. What needs more tokens
// than a bucket holds is admitted when it is full, and keeps the next request waiting for the rest.
func (l rateLimit) admit(c *conn, nowNs, n uint64) (retryAfterMs uint32, ok bool) {
	if l.spacingNs == 0 {
		return 0, true
	}
	due, cost := max(c.admitNs, nowNs), n*l.spacingNs
	if ahead := due + min(cost, rateBurstNs) - nowNs; ahead > rateBurstNs {
		return uint32((ahead-rateBurstNs)/uint64(time.Millisecond)) + 1, false
	}
	c.admitNs = due + cost
	return 0, true
}
