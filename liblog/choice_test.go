package liblog

import (
	"encoding"
	"errors"
	"strings"
	"testing"

	"github.com/rs/zerolog"
)

func TestParseLevel(t *testing.T) {
	for text, want := range map[string]zerolog.Level{
		"trace": zerolog.TraceLevel, "debug": zerolog.DebugLevel, "info": zerolog.InfoLevel, "Warn": zerolog.WarnLevel,
		"ERROR": zerolog.ErrorLevel, "off": zerolog.Disabled,
	} {
		level, err := ParseLevel(text)
		if err != nil || level.zerolog() != want || !strings.EqualFold(level.String(), text) {
			t.Errorf("ParseLevel(%q) = %v (%v), %v; want %v", text, level, level.zerolog(), err, want)
		}
	}
}

func TestParseFormat(t *testing.T) {
	for text, want := range map[string]Format{"auto": FormatAuto, "Console": FormatConsole, "json": FormatJSON} {
		if format, err := ParseFormat(text); err != nil || format != want {
			t.Errorf("ParseFormat(%q) = %v, %v; want %v", text, format, err, want)
		}
	}
}

func TestZeroOptionsAreInfoAndAuto(t *testing.T) {
	var o Options
	if o.Level != LevelInfo || o.Format != FormatAuto {
		t.Errorf("zero Options are %v, %v; want info, auto", o.Level, o.Format)
	}
}

func TestUnknownNamesListWhatExists(t *testing.T) {
	_, levelErr := ParseLevel("loud")
	_, formatErr := ParseFormat("xml")
	for want, err := range map[string]error{
		`unknown log level "loud": want one of trace, debug, info, warn, error, off`: levelErr,
		`unknown log format "xml": want one of auto, console, json`:                  formatErr,
	} {
		if !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want ErrUnknown that says %s", err, want)
		}
	}
}

func TestTextRoundTrip(t *testing.T) {
	for l := LevelTrace; l <= LevelOff; l++ {
		var back Level
		roundTrip(t, l, &back)
		if back != l {
			t.Errorf("level %v came back as %v", l, back)
		}
	}
	for f := FormatAuto; f <= FormatJSON; f++ {
		var back Format
		roundTrip(t, f, &back)
		if back != f {
			t.Errorf("format %v came back as %v", f, back)
		}
	}
}

func roundTrip(t *testing.T, from encoding.TextMarshaler, to encoding.TextUnmarshaler) {
	t.Helper()
	text, err := from.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	if err := to.UnmarshalText(text); err != nil {
		t.Fatal(err)
	}
}
