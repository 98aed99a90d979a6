package worker

import (
	"testing"

	"tradechat.internal/libproto"
	"tradechat.internal/server/internal/config"
	"tradechat.internal/shmstore"
)

func TestAnAddressWithTooManyConnectionsIsTurnedAway(t *testing.T) {
	c := startCluster(t, func(cfg *config.Config) { cfg.PerAddressMax = 2 })
	addr := c.workers[0].addr
	first, second := dial(t, addr), dial(t, addr)
	first.hello()
	second.hello()
	third := dial(t, addr)
	third.goingAway(libproto.GoingAwayShutdown)
	if n := c.metrics(0).Counters[shmstore.CounterConnectionsRefused]; n != 1 {
		t.Errorf("%d connections refused", n)
	}
	must(t, third.socket.Close())
	must(t, first.socket.Close())
	c.awaitCounter(0, shmstore.CounterConnectionsClosed, 2)
	dial(t, addr).hello()
}
