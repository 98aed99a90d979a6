package liblog

import (
	"io"
	"os"
	"time"

	"github.com/rs/zerolog"

	"tradechat.internal/liblog/program"
)

// zerolog keeps the form of times in globals; set here once, before any logger exists.
func init() {
	zerolog.TimeFieldFormat = timeFormat
	zerolog.TimestampFunc = func() time.Time { return time.Now().UTC() }
}

// Options say where a process's log goes and what every line of it carries.
type Options struct {
	Writer io.Writer // nil means os.Stderr
	Format Format
	Level  Level
	Role   string      // of this process
	Repeat RepeatLimit // of each key of Limited
}

// Logger is a zerolog.Logger whose lines carry the process's fields, with Limited beside it.
type Logger struct {
	zerolog.Logger
	repeats *repeats
}

// New makes the log of this process. A worker adds its slot by WithSlot.
func New(o Options) *Logger {
	w := o.Writer
	if w == nil {
		w = os.Stderr
	}
	fields := zerolog.New(output(w, o.Format)).Level(o.Level.zerolog()).With().Timestamp().Int(FieldPID, os.Getpid())
	if o.Role != "" {
		fields = fields.Str(FieldRole, o.Role)
	}
	return &Logger{Logger: fields.Logger(), repeats: newRepeats(o.Repeat)}
}

// WithSlot is a logger whose lines also carry the worker slot. It shares the writer and the table of repeats.
func (l *Logger) WithSlot(slot int) *Logger {
	return &Logger{Logger: l.With().Int(FieldSlot, slot).Logger(), repeats: l.repeats}
}

// At starts an event of a level that is known at run time only. It returns nil when the level is disabled.
func (l *Logger) At(level Level) *zerolog.Event {
	if level.zerolog() < l.GetLevel() {
		return nil
	}
	return l.WithLevel(level.zerolog())
}

// Limited starts an event that may repeat often. key names the kind of event and is a constant, never made of
// input. It returns nil, on which every method of zerolog.Event does nothing, when the level is disabled or the
// key has had its share of the window; arguments are evaluated all the same, so keep them cheap.
func (l *Logger) Limited(level Level, key string) *zerolog.Event {
	if level.zerolog() < l.GetLevel() {
		return nil
	}
	suppressed, ok := l.repeats.admit(key, level)
	if !ok {
		return nil
	}
	return l.repeated(level, key, suppressed)
}

// Sweep writes the counts of keys whose window is over. Call it now and then, from any goroutine.
func (l *Logger) Sweep() { l.writeCounts(false) }

// Close writes the counts of all keys. It does not close the writer; the logger stays usable.
func (l *Logger) Close() { l.writeCounts(true) }

func (l *Logger) writeCounts(all bool) {
	for _, c := range l.repeats.take(all) {
		l.repeated(c.level, c.key, c.suppressed).Msg("repeated")
	}
}

func (l *Logger) repeated(level Level, key string, suppressed uint64) *zerolog.Event {
	e := l.WithLevel(level.zerolog()).Str(FieldEvent, key)
	if suppressed > 0 {
		e = e.Uint64(FieldSuppressed, suppressed)
	}
	return e
}

// output makes the writer of one format, safe for several goroutines.
func output(w io.Writer, f Format) io.Writer {
	if f == FormatConsole || (f == FormatAuto && program.IsTerminal(w)) {
		w = zerolog.ConsoleWriter{Out: w, NoColor: !program.Colours(w), TimeFormat: "15:04:05.000"}
	}
	return zerolog.SyncWriter(w)
}
