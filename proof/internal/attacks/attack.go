package attacks

import (
	"context"
	"fmt"
	"net"
)

// attack is one way to mean harm.
type attack struct {
	name        string
	short       string
	connections int    // that it holds or remakes at once, unless told otherwise
	accounts    int    // that it needs
	counter     string // of SERVER_STATS totals, which it must have raised
	timed       bool   // that counter moves only once --login-timeout has passed

	// behave is what it does with one connection, until the server has had enough or the context ends; the latter closes the socket.
	behave func(ctx context.Context, a *assailant, socket *net.TCPConn)
}

// table is all attacks, in the order in which they run.
var table = []attack{
	{
		name: "slowloris", short: "headers a byte a second", connections: 1000,
		counter: "idle_timeouts", timed: true, behave: slowloris,
	},
	{
		name: "length-bombs", short: "bodies announced and withheld, in full or but for a byte; 4 GiB announced", connections: 600, accounts: 1,
		counter: "bad_packets", behave: lengthBomb,
	},
	{
		name: "checksum-storm", short: "frames of 1 KiB with wrong checksums, as fast as they go", connections: 50,
		counter: "checksum_failures", behave: checksumStorm,
	},
	{
		name: "silent", short: "connections that say nothing", connections: 10_000,
		counter: "idle_timeouts", timed: true, behave: silence,
	},
	{
		name: "ops-before-login", short: "transfers without a login, as fast as they go", connections: 50,
		counter: "state_violations", behave: opsBeforeLogin,
	},
	{
		name: "deaf", short: "members of a busy room who never read", connections: 20, accounts: 2,
		counter: "slow_consumers", behave: deaf,
	},
	{
		name: "connect-storm", short: "connections made and dropped, in order or by a reset", connections: 50,
		counter: "total_connections", behave: hitAndRun,
	},
	{
		name: "garbage", short: "random bytes, as fast as they go", connections: 50,
		counter: "bad_packets", behave: garbage,
	},
	{
		name: "batch-flood", short: "users who transfer in batches of 1,024, as fast as they go", connections: 4, accounts: 2,
		counter: "total_connections", behave: batchFlood,
	},
}

// Names are the attacks that there are.
func Names() (names []string) {
	for _, a := range table {
		names = append(names, a.name)
	}
	return names
}

func find(name string) (attack, bool) {
	for _, a := range table {
		if a.name == name {
			return a, true
		}
	}
	return attack{}, false
}

// Describe is one line about each attack.
func Describe() (lines []string) {
	for _, a := range table {
		lines = append(lines, fmt.Sprintf("%-17s %s; %d connections", a.name, a.short, a.connections))
	}
	return lines
}
