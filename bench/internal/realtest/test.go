package realtest

import (
	"slices"
	"strconv"

	"tradechat.internal/bench/internal/plots"
)

// Test is one of the Real Test's.
type Test struct {
	Name, Title string
	What        string // what is done, and what to look for
	Rounds      int    // of each case, in turns
	Cases       []Case
	Kill        bool // a worker, at half time
	Hold        bool // stop a worker now and then while it holds an account
	Timeline    bool // is drawn

	Panels   func(t *plots.Table) []plots.Panel // of the main figure
	Columns  int                                // panels beside each other
	Caption  string                             // of the main figure
	Findings func(r *Result) []string
}

// Case is one setting that is measured.
type Case struct {
	Group string // the series that it belongs to; "": there is but one
	Place int    // within the group
	Label string // what stands there

	Workers int
	Server  []string // further flags of the server
	Load    []string // flags of the load generator
}

// name is how a case is called where all cases stand together.
func (c Case) name() string {
	if c.Group == "" {
		return c.Label
	}
	return c.Group + ": " + c.Label
}

// serverFlags are those of every server: the load generator makes its own users.
var serverFlags = []string{"--registration", "open", "--idle-timeout", "1h"}

// further is what the server of a case is told beside its workers.
func (c Case) further() []string { return slices.Concat(c.Server, serverFlags) }

// flags is how the server of a case is started, but for its place and names.
func (c Case) flags() []string {
	return slices.Concat([]string{"--workers", strconv.Itoa(c.Workers)}, c.further())
}
