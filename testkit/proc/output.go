package proc

import (
	"bytes"
	"strings"
	"sync"
)

// output keeps what a process prints, up to outputBytesMax.
type output struct {
	mu   sync.Mutex
	text []byte
	more chan struct{} // closed, and replaced, when text grows
}

func newOutput() *output { return &output{more: make(chan struct{})} }

// Write takes everything, so that the process never waits.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text = append(o.text, p[:min(len(p), outputBytesMax-len(o.text))]...)
	close(o.more)
	o.more = make(chan struct{})
	return len(p), nil
}

// changed is closed at the next Write.
func (o *output) changed() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.more
}

// lines are the lines that are whole.
func (o *output) lines() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	end := bytes.LastIndexByte(o.text, '\n')
	if end < 0 {
		return nil
	}
	return strings.Split(string(o.text[:end]), "\n")
}
