package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tradechat.internal/client"
)

// status is what a server says of itself; everything behind reachable is zero when it is not.
type status struct {
	Server              string   `json:"server"`
	Reachable           bool     `json:"reachable"`
	Agent               string   `json:"agent"`
	ProtocolVersion     uint8    `json:"protocol_version"`
	Capabilities        []string `json:"capabilities"`
	ConnectUs           int64    `json:"connect_us"`    // connecting and HELLO
	RoundTripUs         int64    `json:"round_trip_us"` // one HEARTBEAT
	ClockOffsetMs       int64    `json:"clock_offset_ms"`
	MaxBodyBytes        uint32   `json:"max_body_bytes"`
	MaxMessageBytes     uint32   `json:"max_message_bytes"`
	HeartbeatIntervalMs int64    `json:"heartbeat_interval_ms"`
	IdleTimeoutMs       int64    `json:"idle_timeout_ms"`
	KDFIterations       int      `json:"kdf_iterations"`
}

func (s status) writeText(w io.Writer) {
	t := table{columns: make([]column, 2)}
	t.add("server", printable(s.Server))
	if !s.Reachable {
		t.add("reachable", "no")
		t.write(w, "")
		return
	}
	t.add("reachable", "yes")
	t.add("software", printable(s.Agent))
	t.add("protocol", "version "+strconv.Itoa(int(s.ProtocolVersion)))
	t.add("capabilities", strings.Join(s.Capabilities, ", "))
	t.add("connect", microseconds(s.ConnectUs))
	t.add("round trip", microseconds(s.RoundTripUs))
	t.add("clock offset", fmt.Sprintf("%d ms", s.ClockOffsetMs))
	t.add("largest body", count(s.MaxBodyBytes, "byte"))
	t.add("longest message", count(s.MaxMessageBytes, "byte"))
	t.add("heartbeat every", time.Duration(s.HeartbeatIntervalMs*int64(time.Millisecond)).String())
	t.add("idle time-out", time.Duration(s.IdleTimeoutMs*int64(time.Millisecond)).String())
	t.add("key derivation", count(s.KDFIterations, "iteration"))
	t.write(w, "")
}

func microseconds(us int64) string {
	return strconv.FormatFloat(float64(us)/1000, 'f', 3, 64) + " ms"
}

func (a *app) statusCommand() *cobra.Command {
	return a.cobra(command{
		use:   "status",
		short: "Tell whether the server can be reached, and its version and limits",
		long: `It needs no user. The exit code is 0 if the server answers and 3 if it cannot be
reached.`,
		example: `  tradechat status
  tradechat --server chat.example.org:7878 status --json`,
		run: func(ctx context.Context, _ []string) (result, error) {
			s := status{Server: a.server, Capabilities: []string{}}
			err := a.probe(ctx, &s)
			return s, err
		},
	})
}

func (a *app) probe(ctx context.Context, s *status) error {
	start := time.Now()
	return a.connected(ctx, func(c *client.Client) error {
		connect := time.Since(start)
		roundTrip, serverTime, err := c.Heartbeat(ctx)
		if err != nil {
			return err
		}
		offset := time.Until(serverTime) + roundTrip/2
		s.fill(c.Server(), connect, roundTrip, offset)
		return nil
	})
}

func (s *status) fill(info client.ServerInfo, connect, roundTrip, clockOffset time.Duration) {
	s.Reachable = true
	s.Agent = info.Agent
	s.ProtocolVersion = info.Version
	if info.Capabilities != 0 {
		s.Capabilities = strings.Split(info.Capabilities.String(), "|")
	}
	s.ConnectUs = connect.Microseconds()
	s.RoundTripUs = roundTrip.Microseconds()
	s.ClockOffsetMs = clockOffset.Milliseconds()
	s.MaxBodyBytes = info.BodyLenMax
	s.MaxMessageBytes = info.MessageLenMax
	s.HeartbeatIntervalMs = info.HeartbeatInterval.Milliseconds()
	s.IdleTimeoutMs = info.IdleTimeout.Milliseconds()
	s.KDFIterations = info.KDFIterations
}
