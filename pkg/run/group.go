package run

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// StopTimeout is how long one part of a Group may take to stop.
const StopTimeout = 10 * time.Second

// Group runs the parts of a service. They stop in reverse order of their
// start, each waited for before the next, so that what was built on a part is
// gone before the part is: a server that drains still has its connection. The
// zero value is not usable; call NewGroup.
type Group struct {
	ctx   context.Context
	parts []*part
	ended chan *part
}

type part struct {
	name   string
	cancel context.CancelFunc
	done   chan struct{}
	err    error // read after done
}

// NewGroup returns a group whose parts stop when ctx ends.
func NewGroup(ctx context.Context) *Group {
	return &Group{ctx: ctx, ended: make(chan *part, 64)}
}

// Go starts a part in a goroutine that Wait joins. Its context outlives the
// group's: it ends when it is this part's turn to stop. A part that returns
// earlier, with or without an error, stops the group.
func (g *Group) Go(name string, f func(ctx context.Context) error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(g.ctx))
	p := &part{name: name, cancel: cancel, done: make(chan struct{})}
	g.parts = append(g.parts, p)
	go func() {
		p.err = f(ctx)
		close(p.done)
		g.ended <- p
	}()
}

// OnStop has f called when everything started after it has stopped; for what
// is closed rather than run.
func (g *Group) OnStop(name string, f func(ctx context.Context) error) {
	g.Go(name, func(ctx context.Context) error {
		<-ctx.Done()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), StopTimeout)
		defer cancel()
		return f(ctx)
	})
}

// Wait waits until ctx ends or a part does, stops all, and returns what went
// wrong: nil after an ordinary stop.
func (g *Group) Wait() error {
	var errs []error
	select {
	case <-g.ctx.Done():
	case p := <-g.ended:
		if p.err == nil {
			errs = append(errs, fmt.Errorf("%s ended by itself", p.name))
		}
	}
	for i := len(g.parts) - 1; i >= 0; i-- {
		p := g.parts[i]
		p.cancel()
		timeout := time.NewTimer(StopTimeout)
		select {
		case <-p.done:
			if p.err != nil && !errors.Is(p.err, context.Canceled) {
				errs = append(errs, fmt.Errorf("%s: %w", p.name, p.err))
			}
		case <-timeout.C:
			errs = append(errs, fmt.Errorf("%s did not stop within %v", p.name, StopTimeout))
		}
		timeout.Stop()
	}
	return errors.Join(errs...)
}
