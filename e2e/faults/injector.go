package faults

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/parley-im/parley/e2e/faults/faultystore"
	"github.com/parley-im/parley/e2e/system"
)

// Injector carries out a schedule of faults on a world.
type Injector struct {
	world *World
	guard *Guard
	logf  func(format string, args ...any)

	mu     sync.Mutex
	counts map[Kind]int
}

// NewInjector returns one that tells logf of each fault.
func NewInjector(w *World, g *Guard, logf func(format string, args ...any)) *Injector {
	return &Injector{world: w, guard: g, logf: logf, counts: map[Kind]int{}}
}

// Counts is how many faults of each kind there were.
func (in *Injector) Counts() map[Kind]int {
	in.mu.Lock()
	defer in.mu.Unlock()
	counts := make(map[Kind]int, len(in.counts))
	for kind, n := range in.counts {
		counts[kind] = n
	}
	return counts
}

// Run carries out the faults, at their times from now on, and returns when
// the last has ended and every process runs again. When ctx ends, faults end
// early. The error says which could not be carried out or ended.
func (in *Injector) Run(ctx context.Context, faults []Fault) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	start := time.Now()
	byTarget := map[string][]Fault{}
	for _, f := range faults {
		byTarget[f.Target] = append(byTarget[f.Target], f)
	}
	var wg sync.WaitGroup
	for _, list := range byTarget {
		wg.Go(func() { // ended by the last of its faults, or by ctx
			for _, f := range list {
				if !sleep(ctx, time.Until(start.Add(f.At))) {
					return
				}
				if err := in.strike(ctx, f); err != nil {
					cancel(fmt.Errorf("%v: %w", f, err))
					return
				}
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// strike carries out one fault and ends it.
func (in *Injector) strike(ctx context.Context, f Fault) error {
	in.logf("%v", f)
	end, err := in.begin(ctx, f)
	if errors.Is(err, errNotNow) {
		in.logf("%v: not now: %v", f, err)
		return nil
	}
	if err != nil {
		return err
	}
	in.mu.Lock()
	in.counts[f.Kind]++
	in.mu.Unlock()
	sleep(ctx, f.For)
	if end == nil {
		return nil
	}
	return end()
}

// begin starts a fault; end, which may be nil, ends it.
func (in *Injector) begin(ctx context.Context, f Fault) (end func() error, err error) {
	lasting := context.WithoutCancel(ctx) // what was begun is ended, whatever happens
	switch f.Kind {
	case Kill, Pause:
		return in.hit(lasting, f.Kind, in.world.processes[f.Target])
	case StoreLost, StoreFail, StoreStall, StoreReadOnly:
		return nil, in.order(ctx, f)
	case ClockJump:
		return func() error { return in.setRight(lasting, f) }, in.order(ctx, f)
	case DiskFull:
		p := in.world.processes[f.Target]
		return p.EmptyDisk, p.FillDisk()
	case Command:
		out, err := exec.CommandContext(ctx, "sh", "-c", f.Target).CombinedOutput() //nolint:gosec // whoever runs the test gave it
		if err != nil {
			return nil, fmt.Errorf("%w: %s", err, out)
		}
		return nil, nil
	}
	p := in.world.Net.Named(f.Target)
	switch f.Kind {
	case Refuse:
		err = p.Refuse()
	case Silence:
		err = p.Silence()
	case Deafen:
		err = p.Deafen()
	case HalfOpen:
		err = p.HalfOpen()
	case Slow:
		err = p.Slow(f.Delay)
	default:
		err = fmt.Errorf("nobody knows how")
	}
	return func() error { return p.Mend(lasting) }, err
}

// hit kills or stops a process.
func (in *Injector) hit(ctx context.Context, kind Kind, p *system.Process) (end func() error, err error) {
	if kind == Pause {
		return func() error { return p.Signal(syscall.SIGCONT) }, p.Signal(syscall.SIGSTOP)
	}
	in.guard.Expect(p)
	if err := p.Crash(ctx); err != nil {
		return nil, err
	}
	return func() error {
		if err := p.Again(ctx); err != nil {
			return err
		}
		in.guard.Watch(p)
		return nil
	}, nil
}

// orderWait bounds the giving of an order.
const orderWait = 2 * time.Second

// errNotNow says that a replica takes no orders right now, because it waits
// for NATS or has only begun to start: it has enough to bear.
var errNotNow = errors.New("the replica takes no orders")

// clockTries is how often setRight tries.
const clockTries = 30

// setRight ends a jump of a clock, which also a new start does.
func (in *Injector) setRight(ctx context.Context, f Fault) error {
	f.Delay = 0
	var err error
	for range clockTries {
		if err = in.order(ctx, f); !errors.Is(err, errNotNow) {
			return err
		}
		sleep(ctx, orderWait/2)
	}
	return err
}

// order has inserts of a chat replica go wrong, or the clock of any. It wraps errNotNow
// if the replica takes no orders.
func (in *Injector) order(ctx context.Context, f Fault) error {
	ctx, cancel := context.WithTimeout(ctx, orderWait)
	defer cancel()
	kind := map[Kind]faultystore.Kind{
		StoreLost: faultystore.Lose, StoreFail: faultystore.Fail, StoreStall: faultystore.Stall,
		StoreReadOnly: faultystore.ReadOnly, ClockJump: faultystore.Jump,
	}[f.Kind]
	url := in.world.processes[f.Target].Ops + "/faults"
	if err := faultystore.Give(ctx, url, faultystore.Order{Kind: kind, Count: f.Count, Delay: f.Delay}); err != nil {
		return fmt.Errorf("%w: %w", errNotNow, err)
	}
	return nil
}

// sleep waits for d, and is false when ctx has ended before.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
