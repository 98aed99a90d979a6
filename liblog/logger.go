package liblog

import (
	"bytes"
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
	Writer io.Writer // nil means os.Stderr; a *Queue never blocks the process
	Format Format
	Level  Level
	Role   string      // of this process
	Repeat RepeatLimit // of each key of Limited
}

// Logger is a zerolog.Logger whose lines carry the process's fields, with Limited beside it.
type Logger struct {
	zerolog.Logger
	repeats *repeats
	queue   *Queue // nil: lines are written at once
}

// New makes the log of this process. A worker adds its slot by WithSlot.
func New(o Options) *Logger {
	w := o.Writer
	if w == nil {
		w = os.Stderr
	}
	l := &Logger{Logger: o.zerolog(output(w, w, o.Format)), repeats: newRepeats(o.Repeat)}
	if queue, ok := w.(*Queue); ok {
		l.queue = queue
		queue.note = o.dropNote(queue)
	}
	return l
}

func (o Options) zerolog(w io.Writer) zerolog.Logger {
	fields := zerolog.New(w).Level(o.Level.zerolog()).With().Timestamp().Int(FieldPID, os.Getpid())
	if o.Role != "" {
		fields = fields.Str(FieldRole, o.Role)
	}
	return fields.Logger()
}

// dropNote makes the lines by which a queue tells of a loss. Only the queue's goroutine calls it.
func (o Options) dropNote(queue *Queue) func(uint64) []byte {
	var line bytes.Buffer
	log := o.zerolog(output(&line, queue, o.Format))
	return func(dropped uint64) []byte {
		line.Reset()
		log.Warn().Uint64(FieldDropped, dropped).Msg("lines of the log were dropped: its reader was too slow")
		return line.Bytes()
	}
}

// WithSlot is a logger whose lines also carry the worker slot. It shares the writer and the table of repeats.
func (l *Logger) WithSlot(slot int) *Logger {
	return &Logger{Logger: l.With().Int(FieldSlot, slot).Logger(), repeats: l.repeats, queue: l.queue}
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

// Close writes the counts of all keys. In front of a Queue it waits until all is written, at most for FlushMax. It does not close the
// writer; the logger stays usable.
func (l *Logger) Close() {
	l.writeCounts(true)
	if l.queue != nil {
		l.queue.Flush(FlushMax)
	}
}

// TakeDropped is the number of lines that the Queue has dropped since it was called last; 0 without one.
func (l *Logger) TakeDropped() uint64 {
	if l.queue == nil {
		return 0
	}
	return l.queue.TakeDropped()
}

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

// output makes the writer of one format, safe for several goroutines. end is where the lines go in the end.
func output(w, end io.Writer, f Format) io.Writer {
	if f == FormatConsole || (f == FormatAuto && program.IsTerminal(end)) {
		w = zerolog.ConsoleWriter{Out: w, NoColor: !program.Colours(end), TimeFormat: "15:04:05.000"}
	}
	return zerolog.SyncWriter(w)
}
