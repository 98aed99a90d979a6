// Package findings keeps what a check found wrong: all of it counted, the first of it in words.
package findings

import (
	"fmt"
	"sync"
)

// ExamplesMax bounds the findings that a Log keeps in words.
const ExamplesMax = 20

// Log is safe for concurrent use; the zero value is ready.
type Log struct {
	mu       sync.Mutex
	count    uint64
	examples []string
}

// Add notes one finding.
func (l *Log) Add(format string, args ...any) { l.AddMany(1, format, args...) }

// AddMany notes a finding that stands for count of them.
func (l *Log) AddMany(count uint64, format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count += count
	if len(l.examples) < ExamplesMax {
		l.examples = append(l.examples, fmt.Sprintf(format, args...))
	}
}

// Merge adds what another log has found.
func (l *Log) Merge(other *Log) {
	count, examples := other.Count(), other.Examples()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count += count
	room := ExamplesMax - len(l.examples)
	l.examples = append(l.examples, examples[:min(room, len(examples))]...)
}

// Count is how much was found.
func (l *Log) Count() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.count
}

// Examples are the first findings.
func (l *Log) Examples() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.examples...)
}
