package echoserver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	"tradechat.internal/testkit/proc"
)

// Command is the hidden sub-command of tradechat-bench that calls Run.
const Command = "echo-server"

// Start runs this program again as the echo, as a process of its own, and returns when it accepts.
func Start(ctx context.Context, c Config) (process *proc.Process, address string, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, "", fmt.Errorf("echoserver: %w", err)
	}
	process, err = proc.Start(proc.Command{Path: self, Stderr: os.Stderr, Args: []string{
		Command, "--loops", strconv.Itoa(c.Loops), "--request", strconv.Itoa(c.RequestLen), "--response", strconv.Itoa(c.ResponseLen),
	}})
	if err != nil {
		return nil, "", err
	}
	if address, err = process.AwaitLine(ctx, "ready "); err != nil {
		return nil, "", errors.Join(err, process.Stop())
	}
	return process, address, nil
}
