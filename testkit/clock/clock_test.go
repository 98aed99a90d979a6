package clock

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestSleep(t *testing.T) {
	began := time.Now()
	if err := Sleep(t.Context(), 2*time.Millisecond); err != nil || time.Since(began) < 2*time.Millisecond {
		t.Errorf("%v after %v", err, time.Since(began))
	}
	if err := Sleep(t.Context(), -time.Hour); err != nil {
		t.Error(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Sleep(ended, time.Hour); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestNumbers(t *testing.T) {
	if Micros(1500*time.Nanosecond) != 1.5 || Millis(1500*time.Microsecond) != 1.5 {
		t.Error(Micros(1500*time.Nanosecond), Millis(1500*time.Microsecond))
	}
}
