package admin

import (
	"tradechat.internal/libproto"
	"tradechat.internal/shmstore"
)

// count enters a request and its answer into the metrics of the master's slot.
func (c *conn) count(op libproto.Opcode, status libproto.Status) {
	c.server.backend.WithStore(func(st *shmstore.Store) {
		m := st.Metrics()
		m.Add(shmstore.CounterRequests, 1)
		m.Status(int(status))
		if index, ok := op.Index(); ok {
			m.Op(index)
		}
		switch status {
		case libproto.StatusBadPacket:
			m.Add(shmstore.CounterBadPackets, 1)
		case libproto.StatusChecksumFail:
			m.Add(shmstore.CounterChecksumFailures, 1)
		}
	})
}
