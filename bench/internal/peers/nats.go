package peers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	"tradechat.internal/bench/internal/natspeer"
	"tradechat.internal/testkit/closedloop"
	"tradechat.internal/testkit/proc"
)

// The subjects.
const (
	serviceSubject = "service"
	roomSubject    = "room"
)

// natsServer is a NATS server and, for requests, a service that answers them, each a process of its own.
type natsServer struct {
	server, service *proc.Process // service is nil under a fan-out
	address         string
}

func startNATS(ctx context.Context, room bool) (*natsServer, error) {
	server, address, err := startSelf(ctx, natspeer.ServerCommand)
	if err != nil {
		return nil, err
	}
	n := &natsServer{server: server, address: address}
	if room {
		return n, nil
	}
	n.service, _, err = startSelf(ctx, natspeer.ServiceCommand, "--server", address, "--subject", serviceSubject,
		"--response", strconv.Itoa(closedloop.ResponseLen))
	if err != nil {
		n.Discard()
		return nil, err
	}
	return n, nil
}

// startSelf runs a hidden sub-command of this program, and returns what follows its word "ready".
func startSelf(ctx context.Context, args ...string) (process *proc.Process, said string, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, "", fmt.Errorf("peers: %w", err)
	}
	if process, err = proc.Start(proc.Command{Path: self, Args: args, Stderr: os.Stderr}); err != nil {
		return nil, "", err
	}
	ctx, cancel := context.WithTimeout(ctx, readyMax)
	defer cancel()
	if said, err = process.AwaitLine(ctx, "ready "); err != nil {
		return nil, "", errors.Join(err, process.Stop())
	}
	return process, said, nil
}

// Connect subscribes each connection: to the room, or to a subject of its own to which its answers come.
func (n *natsServer) Connect(ctx context.Context, count int) (peers []closedloop.Peer, err error) {
	for i := range count {
		listens, exchange := "inbox."+strconv.Itoa(i), newNATSRequester(i)
		if n.service == nil {
			listens, exchange = roomSubject, newNATSMember(i == 0)
		}
		fd, err := dialNATS(ctx, n.address, listens)
		if err != nil {
			closedloop.Hangup(peers)
			return nil, fmt.Errorf("peers: nats, connection %d: %w", i, err)
		}
		peers = append(peers, closedloop.Peer{FD: fd, Exchange: exchange})
	}
	return peers, nil
}

// PIDs are the server and the service.
func (n *natsServer) PIDs(context.Context) ([]int, error) {
	pids := []int{n.server.PID()}
	if n.service != nil {
		pids = append(pids, n.service.PID())
	}
	return pids, nil
}

// Version is the library's.
func (n *natsServer) Version() string { return "NATS " + natspeer.Version }

// Check has nothing to ask for: NATS keeps nothing, and every answer was seen.
func (n *natsServer) Check(context.Context, uint64) error { return nil }

// Stop ends both, the service first.
func (n *natsServer) Stop() error {
	var err error
	if n.service != nil {
		err = n.service.Stop()
	}
	return errors.Join(err, n.server.Stop())
}

// Discard is Stop when something else has failed.
func (n *natsServer) Discard() { _ = n.Stop() }
