package role

import (
	"fmt"
	"time"

	"tradechat.internal/server/internal/config"
)

// Name identifies a role: in the heritage of a child, and as the field "role" of its log.
type Name string

const (
	LogWriter Name = "logwriter" // brings the log to disk
	Worker    Name = "worker"    // serves clients
)

// Consequence is what it means that processes of a role end failedStartsMax times in a row.
type Consequence int

const (
	StartFails Consequence = iota // before all were ready, the start is given up; later, it is tried again for ever
	WritesFail                    // the server turns read-only, and the role is given up
)

// Policy is how the master treats the processes of a role.
type Policy struct {
	Name      Name
	Title     string // in messages, and in argv[0] for ps
	Comm      string // of a process, behind "tradechatd:"; the kernel shows commBytesMax
	PerWorker bool   // one process for each worker slot, and its number behind title and comm; else one
	Listens   bool   // it gets its slot's listening socket

	// Settles: the first process starts before everything else and decides, by its verdict, what becomes of the segment.
	Settles bool

	// Ready is what a process does once it says that it works: "worker accepts".
	Ready string

	// Death is what its sudden end means to others until a successor is there.
	Death string

	// Repeated is what it means if it cannot be kept running.
	Repeated Consequence

	// Needed: at a stop, too, a process that ends before it was asked, or is killed by a stranger then, has a successor: it holds
	// what the stop must not lose. The end of the last one must be a good one.
	Needed bool

	// EndMax is how long a process may take from being asked to end until it is killed.
	EndMax time.Duration
}

// Table has the roles in the order of their start.
var Table = []Policy{
	{
		Name: LogWriter, Title: "log writer", Comm: "logw", Settles: true, Ready: "goes on",
		Death: "; answers wait for its successor", Repeated: WritesFail, Needed: true,
		EndMax: 60 * time.Second, // the rest of the log, and the last snapshot
	},
	{
		Name: Worker, Title: "worker", Comm: "w", PerWorker: true, Listens: true, Ready: "accepts", Repeated: StartFails,
		EndMax: 8 * time.Second, // a drain, and time for a busy machine
	},
}

// commBytesMax is what the kernel keeps of a process's name.
const commBytesMax = 15

// Of finds the policy of a role.
func Of(n Name) (Policy, bool) {
	for _, p := range Table {
		if p.Name == n {
			return p, true
		}
	}
	return Policy{}, false
}

// Slots are those of the role's processes. The workers come first, then the master, then the other roles in the order of the table.
func (p Policy) Slots(c config.Config) (slots []int) {
	if p.PerWorker {
		for i := range c.Workers {
			slots = append(slots, i)
		}
		return slots
	}
	next := c.Workers + 1
	for _, other := range Table {
		if other.Name == p.Name {
			return []int{next}
		}
		if !other.PerWorker {
			next++
		}
	}
	return nil
}

// Call is what the process of a slot is called: in ps, and in the errors of its start.
func (p Policy) Call(slot int) string {
	if p.PerWorker {
		return fmt.Sprintf("%s %d", p.Title, slot)
	}
	return p.Title
}

// CommName is the name that top shows.
func (p Policy) CommName(slot int) string {
	name := "tradechatd:" + p.Comm
	if p.PerWorker {
		name += fmt.Sprint(slot)
	}
	return name[:min(len(name), commBytesMax)]
}
