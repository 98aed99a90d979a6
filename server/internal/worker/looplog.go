package worker

import (
	"os"

	"tradechat.internal/liblog"
)

// loopLog takes what gnet has to say. It speaks of single connections mostly, so nothing of it is more than a warning,
// and all of it is limited.
type loopLog struct{ log *liblog.Logger }

func (l loopLog) Debugf(format string, args ...any) { l.log.Debug().Msgf(format, args...) }

func (l loopLog) Infof(format string, args ...any) { l.log.Debug().Msgf(format, args...) }

func (l loopLog) Warnf(format string, args ...any) {
	l.log.Limited(liblog.LevelWarn, "event-loop").Msgf(format, args...)
}

func (l loopLog) Errorf(format string, args ...any) {
	l.log.Limited(liblog.LevelWarn, "event-loop").Msgf(format, args...)
}

func (l loopLog) Fatalf(format string, args ...any) {
	l.log.Error().Msgf(format, args...)
	os.Exit(exitPanic)
}
