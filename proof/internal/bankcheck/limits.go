package bankcheck

import "time"

const (
	// AccountsMax is how many accounts a group has at most: the state is an array of them.
	AccountsMax = 4

	// windowMax is how long an order of one window is searched for.
	windowMax = 20 * time.Second

	// problemsMax is how many problems of a kind are described; all are counted.
	problemsMax = 5
)
