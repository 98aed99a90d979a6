package attacks

import (
	"encoding/json"
	"fmt"

	"tradechat.internal/testkit/server"
)

// Command is the hidden sub-command of tradechat-bench that is the attacker.
const Command = "attacker"

// Order is what the attacker is told, as JSON, in its one argument. The accounts in it are those of a server that is gone in a minute.
type Order struct {
	Attack      string        `json:"attack"`
	Server      string        `json:"server"`
	Connections int           `json:"connections"`
	Sources     int           `json:"sources"`
	Accounts    []server.User `json:"accounts"`
	Room        uint32        `json:"room"`
}

// Tally is what it has done, as JSON, on the line that it prints at its end.
type Tally struct {
	Connections int    `json:"connections"` // held or remade at once; fewer than ordered if descriptors were lacking
	Made        uint64 `json:"made"`
	Failed      uint64 `json:"failed"`     // could not connect
	ThrownOut   uint64 `json:"thrown_out"` // ended by the server
	BytesSent   uint64 `json:"bytes_sent"`

	seconds float64 // that it ran
}

// tallyPrefix begins the line of the Tally.
const tallyPrefix = "tally "

func (o Order) encode() (string, error) {
	text, err := json.Marshal(o)
	if err != nil {
		return "", fmt.Errorf("attacks: %w", err)
	}
	return string(text), nil
}

// ParseOrder reads the attacker's argument.
func ParseOrder(text string) (o Order, err error) {
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return o, fmt.Errorf("attacks: order: %w", err)
	}
	attack, known := find(o.Attack)
	if !known || o.Connections < 1 || o.Sources < 1 || len(o.Accounts) < attack.accounts {
		return o, fmt.Errorf("%w: order %s", ErrOption, text)
	}
	return o, nil
}
