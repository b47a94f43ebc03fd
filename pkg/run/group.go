package run

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/parley-im/parley/pkg/telemetry"
)

const (
	// StopTimeout is how long one part of a Group may take to stop, unless it
	// was started with a time of its own.
	StopTimeout = 10 * time.Second
	// stopMargin is what a part that used all of its time gets to return.
	stopMargin = time.Second
)

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
	within time.Duration // to stop; 0: as long as it takes
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
	g.GoWithin(name, StopTimeout, f)
}

// GoWithin is Go for a part that is waited for so long when it has to stop; 0
// is for one that is bounded by parts of its own.
func (g *Group) GoWithin(name string, within time.Duration, f func(ctx context.Context) error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(g.ctx))
	p := &part{name: name, within: within, cancel: cancel, done: make(chan struct{})}
	g.parts = append(g.parts, p)
	go func() {
		p.err = f(ctx)
		close(p.done)
		g.ended <- p
	}()
}

// OnStop has f called when everything started after it has stopped; for what
// is closed rather than run. The context of f ends after StopTimeout.
func (g *Group) OnStop(name string, f func(ctx context.Context) error) {
	g.OnStopWithin(name, StopTimeout, f)
}

// OnStopWithin is OnStop with another time than StopTimeout, longer or
// shorter; it is more than 0. The context of f ends after it, and f should
// then return at once.
func (g *Group) OnStopWithin(name string, within time.Duration, f func(ctx context.Context) error) {
	g.GoWithin(name, within+stopMargin, func(ctx context.Context) error {
		<-ctx.Done()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), within)
		defer cancel()
		return f(ctx)
	})
}

// Serve is Wait for a service that has started: it says so, and that it goes
// before anything started earlier stops.
func (g *Group) Serve(health *telemetry.Health) error {
	g.OnStop("readiness", func(context.Context) error {
		health.Drain()
		return nil
	})
	health.Started()
	return g.Wait()
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
		if err := g.parts[i].stop(); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// stop ends the part and waits for it, as long as it may take.
func (p *part) stop() error {
	p.cancel()
	var late <-chan time.Time
	if p.within > 0 {
		timer := time.NewTimer(p.within)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case <-p.done:
		if p.err != nil && !errors.Is(p.err, context.Canceled) {
			return fmt.Errorf("%s: %w", p.name, p.err)
		}
		return nil
	case <-late:
		return fmt.Errorf("%s did not stop within %v", p.name, p.within)
	}
}
