package peers

import (
	"bytes"
	"context"

	"tradechat.internal/testkit/closedloop"
	"tradechat.internal/testkit/proc"
	"tradechat.internal/testkit/server"
)

// tradechat is our own server.
type tradechat struct {
	*server.Server
	room bool
}

func startTradechat(ctx context.Context, binaries proc.Binaries, o Options, durability string, room bool) (*tradechat, error) {
	args := []string{"--idle-timeout", "1h", "--durability", durability}
	s, err := server.Start(ctx, binaries, server.Options{Workers: o.Workers, Args: args})
	if err != nil {
		return nil, err
	}
	return &tradechat{s, room}, nil
}

func message() []byte { return bytes.Repeat([]byte("m"), messageBytes) }

// Connect logs users in, who pay each other, or are in a room.
func (t *tradechat) Connect(ctx context.Context, n int) ([]closedloop.Peer, error) {
	if t.room {
		return t.Members(ctx, n, message())
	}
	return t.Traders(ctx, n)
}

// Version is that of this build, which the environment says.
func (t *tradechat) Version() string { return "" }

// Check asks for its statistics.
func (t *tradechat) Check(ctx context.Context, sent uint64) error {
	if t.room {
		return t.CheckMessages(ctx, sent)
	}
	return t.CheckTransfers(ctx, sent)
}

// Stop ends it; the audit must find the books right.
func (t *tradechat) Stop() error {
	_, err := t.Server.Stop()
	return err
}
