package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"

	"tradechat.internal/liblog"
	"tradechat.internal/liblog/program"
	"tradechat.internal/server/internal/heritage"
	"tradechat.internal/server/internal/logwriter"
	"tradechat.internal/server/internal/worker"
)

// runChild is a process that the master started.
func runChild() int {
	// These are for the master, which the terminal or a careless kill reaches at the same time.
	signal.Ignore(unix.SIGINT, unix.SIGHUP, unix.SIGUSR1, unix.SIGPIPE)
	h, err := heritage.Load()
	if err != nil {
		fmt.Fprintf(os.Stderr, "tradechatd: %v\n", err)
		return program.ExitUsage
	}
	log, err := newLog(h.Config, string(h.Role), os.Stderr)
	if err != nil {
		fmt.Fprintf(os.Stderr, "tradechatd: %v\n", err)
		return program.ExitUsage
	}
	defer log.Close()
	nameProcess(h, log)
	if err := runRole(h, log); err != nil { // adds the slot to its lines
		logEnd(log.WithSlot(h.Slot), string(h.Role), err)
		return program.ExitFailed
	}
	return program.ExitOK
}

func runRole(h heritage.Heritage, log *liblog.Logger) error {
	if h.Role == heritage.RoleJournal {
		return logwriter.Run(h, log)
	}
	return worker.Run(h, log)
}

// logEnd says why the process ends; an orphan says it quietly, since that is what it is to do.
func logEnd(log *liblog.Logger, role string, err error) {
	event := log.Error()
	if errors.Is(err, worker.ErrOrphaned) || errors.Is(err, logwriter.ErrOrphaned) {
		event = log.Warn()
	}
	event.Err(err).Msg(role + " ends")
}

// nameProcess sets what top and ps -o comm show, at most 15 bytes; the file that was executed is /proc/self/exe.
func nameProcess(h heritage.Heritage, log *liblog.Logger) {
	name := fmt.Sprintf("tradechatd:%s%d", h.Role[:1], h.Slot)
	if h.Role == heritage.RoleJournal {
		name = "tradechatd:jrnl"
	}
	if err := os.WriteFile("/proc/self/comm", []byte(name), 0); err != nil {
		log.Debug().Err(err).Msg("process name not set")
	}
}
