package chaos

import (
	"fmt"
	"sync"
)

// problemsMax is how many problems of a kind are described; all are counted.
const problemsMax = 5

// problems collects what must not be. It may be used by any number of goroutines.
type problems struct {
	mu    sync.Mutex
	count int
	first []string
}

func (p *problems) note(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count++
	if len(p.first) < problemsMax {
		p.first = append(p.first, fmt.Sprintf(format, args...))
	}
}

func (p *problems) found() (count int, first []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count, p.first
}
