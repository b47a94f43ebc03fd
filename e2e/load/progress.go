package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// progress tells a terminal how things stand, on one line that is written
// over; elsewhere it says nothing.
type progress struct {
	out io.Writer // nil: nobody looks

	mu   sync.Mutex
	last time.Time
}

// tell writes at most a few times a second.
func (p *progress) tell(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.out == nil || time.Since(p.last) < 100*time.Millisecond {
		return
	}
	p.last = time.Now()
	fmt.Fprintf(p.out, "\r\033[K"+format, args...)
}

// clear empties the line.
func (p *progress) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.out != nil {
		fmt.Fprint(p.out, "\r\033[K")
	}
}
