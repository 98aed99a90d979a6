package worker

import "tradechat.internal/libproto"

// offences is the record of a client that sends what it must not: the times of its latest checksum failures and of
// its latest requests out of state. Most connections never have one.
type offences struct {
	checksum   [libproto.ChecksumFaultsMax - 1]tick
	outOfState [libproto.StateFaultsMax - 1]tick
}

// strike enters an offence in a record and reports whether it is one too many: whether all entries of the record are
// within the window that ends now. The oldest entry is first; 0 is no entry.
func strike(record []tick, now tick) bool {
	oldest := record[0]
	copy(record, record[1:])
	record[len(record)-1] = now
	return oldest != 0 && now-oldest <= ticks(libproto.FaultWindow)
}

// strikeChecksum and strikeOutOfState enter one offence of c, and report whether it is the one that ends the connection.
func (c *conn) strikeChecksum(now tick) bool { return strike(c.record().checksum[:], now) }

func (c *conn) strikeOutOfState(now tick) bool { return strike(c.record().outOfState[:], now) }

func (c *conn) record() *offences {
	if c.offences == nil {
		c.offences = new(offences)
	}
	return c.offences
}
