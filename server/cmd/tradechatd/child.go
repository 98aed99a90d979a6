package main

import (
	"errors"
	"fmt"
	"os"

	"tradechat.internal/liblog"
	"tradechat.internal/liblog/program"
	"tradechat.internal/server/internal/heritage"
	"tradechat.internal/server/internal/logwriter"
	"tradechat.internal/server/internal/role"
	"tradechat.internal/server/internal/worker"
)

// runs are the run functions of the roles. They return when the master asks them to end (nil), is gone (heritage.ErrOrphaned), or when
// something fails.
var runs = map[role.Name]func(heritage.Heritage, *liblog.Logger) error{
	role.LogWriter: logwriter.Run,
	role.Worker:    worker.Run,
}

// runChild is a process that the master started.
func runChild() int {
	heritage.IgnoreSignals()
	stderr := liblog.NewQueue(os.Stderr, nil)
	defer stderr.Flush(liblog.FlushMax)
	h, err := heritage.Load()
	if err != nil {
		fmt.Fprintf(stderr, "tradechatd: %v\n", err)
		return program.ExitUsage
	}
	log, err := newLog(h.Config, string(h.Role), stderr)
	if err != nil {
		fmt.Fprintf(stderr, "tradechatd: %v\n", err)
		return program.ExitUsage
	}
	defer log.Close()
	policy, _ := role.Of(h.Role) // heritage.Load knows it
	if err := os.WriteFile("/proc/self/comm", []byte(policy.CommName(h.Slot)), 0); err != nil {
		log.Debug().Err(err).Msg("process name not set")
	}
	if err := runs[h.Role](h, log); err != nil {
		logEnd(log.WithSlot(h.Slot), policy.Title, err) // the function adds the slot to its own lines
		return program.ExitFailed
	}
	return program.ExitOK
}

// logEnd says why the process ends; an orphan says it quietly, since that is what it is to do.
func logEnd(log *liblog.Logger, title string, err error) {
	event := log.Error()
	if errors.Is(err, heritage.ErrOrphaned) {
		event = log.Warn()
	}
	event.Err(err).Msg(title + " ends")
}
