package liblog

import (
	"errors"
	"fmt"
	"strings"

	"github.com/rs/zerolog"
)

// ErrUnknown reports a level or format that has no such name; the error lists those that exist.
var ErrUnknown = errors.New("unknown")

// Level is the least severity that is written. The zero value is LevelInfo.
type Level int8

// Severities, least first.
const (
	LevelTrace Level = iota - 2
	LevelDebug
	LevelInfo
	LevelWarn
	LevelError
	LevelOff // nothing at all
)

var levelNames = []string{"trace", "debug", "info", "warn", "error", "off"}

// String is the name that ParseLevel takes.
func (l Level) String() string { return levelNames[l-LevelTrace] }

// ParseLevel reads a level's name, in any case. ErrUnknown, wrapped, lists the names.
func ParseLevel(text string) (Level, error) {
	i, err := choose("log level", text, levelNames)
	return Level(i) + LevelTrace, err
}

// MarshalText and UnmarshalText let configuration files and flags hold a Level.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText is ParseLevel.
func (l *Level) UnmarshalText(text []byte) (err error) {
	*l, err = ParseLevel(string(text))
	return err
}

func (l Level) zerolog() zerolog.Level {
	if l == LevelOff {
		return zerolog.Disabled
	}
	return zerolog.InfoLevel + zerolog.Level(l)
}

// Format is the form of a line. The zero value is FormatAuto.
type Format int8

// Formats.
const (
	FormatAuto    Format = iota // console on a terminal, JSON otherwise
	FormatConsole               // for people; coloured on a terminal unless NO_COLOR is set or TERM is dumb
	FormatJSON                  // one object a line
)

var formatNames = []string{"auto", "console", "json"}

// String is the name that ParseFormat takes.
func (f Format) String() string { return formatNames[f] }

// ParseFormat reads a format's name, in any case. ErrUnknown, wrapped, lists the names.
func ParseFormat(text string) (Format, error) {
	i, err := choose("log format", text, formatNames)
	return Format(i), err
}

// MarshalText and UnmarshalText let configuration files and flags hold a Format.
func (f Format) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText is ParseFormat.
func (f *Format) UnmarshalText(text []byte) (err error) {
	*f, err = ParseFormat(string(text))
	return err
}

func choose(what, text string, names []string) (int, error) {
	for i, name := range names {
		if strings.EqualFold(text, name) {
			return i, nil
		}
	}
	return 0, fmt.Errorf("liblog: %w %s %q: want one of %s", ErrUnknown, what, text, strings.Join(names, ", "))
}
