package chaos

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"tradechat.internal/libproto/serverstats"
	"tradechat.internal/testkit/clock"
	"tradechat.internal/testkit/proc"
	"tradechat.internal/testkit/server"
)

// target is the server under the drill.
type target struct {
	binaries proc.Binaries
	options  server.Options
	server   *server.Server
	disk     *disk // nil: none of its own

	births   []int64 // of lives, see roomcheck
	starts   int
	restarts int // of workers and of the log writer, by the master, as far as they were seen
	doubted  problems
}

// start runs the server for the first time.
func start(ctx context.Context, binaries proc.Binaries, o Options, ownDisk bool) (*target, error) {
	t := &target{binaries: binaries, starts: 1, options: server.Options{
		Workers: o.Workers,
		Args: []string{
			"--durability", "sync", "--watchdog", watchdog.String(), "--journal-file", strconv.Itoa(journalFileMiB),
			"--snapshot-every", strconv.Itoa(snapshotEvery),
			"--max-users", strconv.Itoa(o.Clients + usersSpare), "--max-sessions", strconv.Itoa(sessionsMax),
			"--session-ttl", sessionTTL.String(), "--idle-timeout", idleTimeout.String(), "--heartbeat-interval", heartbeatEvery.String(), "--stats-every", "0s",
			"--log-format", "json",
		},
	}}
	if ownDisk {
		t.options.Prepare = func(folder string) (func(), error) {
			d, err := newDisk(folder)
			t.disk = d
			return d.release, err
		}
	}
	var err error
	t.server, err = server.Start(ctx, binaries, t.options)
	return t, err
}

// restart starts the server again after all of its processes have been ended. cold: its shared memory was removed.
func (t *target) restart(ctx context.Context, cold bool) error {
	if t.disk != nil {
		if err := t.disk.setFree(diskSlackBytes); err != nil {
			return err
		}
	}
	born := time.Now().UnixNano()
	if err := t.server.Restart(ctx, t.binaries, t.options); err != nil {
		return fmt.Errorf("chaos: the server does not start again: %w", err)
	}
	t.starts++
	log, err := t.server.Log()
	if err != nil {
		return err
	}
	if !cold && strings.Contains(log, segmentGivenUp) {
		t.doubted.note("start %d: %s", t.starts, lineWith(log, segmentGivenUp))
		cold = true
	}
	if cold {
		t.births = append(t.births, born)
	}
	return nil
}

// segmentGivenUp is what the server logs when it does not go on with what a crash left (docs/operations.md).
const segmentGivenUp = "the segment that a crashed run left is given up"

func lineWith(text, part string) string {
	for line := range strings.Lines(text) {
		if strings.Contains(line, part) {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

// loseMemory removes the segment of a server that has ended, as a reboot does.
func (t *target) loseMemory() error {
	if err := os.Remove(t.server.Segment()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("chaos: %w", err)
	}
	return nil
}

// noteRestarts adds up what the master has restarted, before it ends.
func (t *target) noteRestarts(ctx context.Context) {
	if stats, err := t.server.Stats(ctx); err == nil {
		t.restarts += restartsOf(stats)
	}
}

func restartsOf(s serverstats.Report) (n int) {
	n = s.Journal.Restarts
	for _, w := range s.Workers {
		n += w.Restarts
	}
	return n
}

// awaitWhole returns when all workers and the log writer run.
func (t *target) awaitWhole(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyMax)
	defer cancel()
	for {
		stats, err := t.server.Stats(ctx)
		if err == nil && whole(stats) {
			return nil
		}
		if clock.Sleep(ctx, retryEvery) != nil {
			return fmt.Errorf("chaos: %v after the last fault not all processes run: %+v, %w",
				readyMax, stats, errors.Join(err, ctx.Err()))
		}
	}
}

func whole(s serverstats.Report) bool {
	for _, w := range s.Workers {
		if !w.Running() {
			return false
		}
	}
	return s.Journal.State == "running" && !s.Journal.ReadOnly
}

// verifiedSince asks for the statistics until they hold a Verify that was made after a moment.
func (t *target) verifiedSince(ctx context.Context, moment time.Time) (serverstats.Report, error) {
	ctx, cancel := context.WithTimeout(ctx, readyMax)
	defer cancel()
	for {
		asked := time.Now()
		stats, err := t.server.Stats(ctx)
		if err == nil && stats.Verify.Error == "" && asked.Add(-time.Duration(stats.Verify.AgeMs+1)*time.Millisecond).After(moment) {
			return stats, nil
		}
		if clock.Sleep(ctx, retryEvery) != nil {
			return stats, fmt.Errorf("chaos: no Verify of the running server within %v: %s, %w",
				readyMax, stats.Verify.Error, errors.Join(err, ctx.Err()))
		}
	}
}
