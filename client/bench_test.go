package client_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"tradechat.internal/libproto"
	"tradechat.internal/testkit/peertest"
)

// BenchmarkCalls makes BALANCE calls over loopback TCP from some goroutines on one connection. The peer runs in the same
// process and writes each answer by itself, so the figure is a floor of what the client does.
func BenchmarkCalls(b *testing.B) {
	for _, callers := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			p := peertest.Listen(b)
			p.Answer(libproto.OpBalance, libproto.BalanceResponse{Balance: 1})
			c, _ := logIn(b, p)
			ctx := testContext(b)
			var left atomic.Int64
			left.Store(int64(b.N))
			b.ReportAllocs()
			b.ResetTimer()
			var wg sync.WaitGroup
			for range callers {
				wg.Go(func() {
					for left.Add(-1) >= 0 {
						if _, err := c.Balance(ctx); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
		})
	}
}
