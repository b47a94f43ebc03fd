package faults

import (
	"context"
	"fmt"
	"sync"

	"github.com/parley-im/parley/e2e/system"
)

// Guard notices processes that end without having been told to: a panic, a
// data race, a service that gives up.
type Guard struct {
	ctx  context.Context // of the run
	fail func(error)     // ends it

	mu       sync.Mutex
	expected map[string]bool // whose end is wanted
}

// NewGuard returns one that calls fail for each such process, until ctx ends.
func NewGuard(ctx context.Context, fail func(error)) *Guard {
	return &Guard{ctx: ctx, fail: fail, expected: map[string]bool{}}
}

// Watch looks after a process that has been started, until it ends.
func (g *Guard) Watch(p *system.Process) {
	g.mu.Lock()
	delete(g.expected, p.Name)
	g.mu.Unlock()
	exited := p.Exited()
	go func() { // ended by the process's end, or by the run's
		select {
		case <-exited:
		case <-g.ctx.Done():
			return
		}
		g.mu.Lock()
		wanted := g.expected[p.Name]
		g.mu.Unlock()
		if !wanted {
			g.fail(fmt.Errorf("%s ended by itself:\n%s", p.Name, lastLines(p, 60)))
		}
	}()
}

// Expect says that the process is about to be ended.
func (g *Guard) Expect(p *system.Process) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.expected[p.Name] = true
}
