package chaos

import (
	"context"
	"time"
)

func (n *nemesis) cut(context.Context) error {
	n.connsCut += n.proxy.Cut(n.random.Float64())
	return nil
}

// delay holds everything back, while other faults come.
func (n *nemesis) delay(context.Context) error {
	n.proxy.Delay(upTo(n.random, delayMost))
	n.delayUntil = time.Now().Add(between(n.random, proxyFaultMin, proxyFaultMax))
	return nil
}

func (n *nemesis) drop(context.Context) error {
	n.connsCut += n.proxy.Drop(n.random.Float64()/2, between(n.random, proxyFaultMin, dropMost))
	return nil
}

// partition keeps clients away until sessions that nobody has are over, while other faults come.
func (n *nemesis) partition(context.Context) error {
	n.connsCut += n.proxy.Cut(n.random.Float64() / 2)
	n.proxy.TurnAway(between(n.random, partitionMin, partitionMost))
	return nil
}
