package telemetry

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// checkWait bounds one readiness check.
const checkWait = time.Second

// Why a service is not ready that has not come yet, or is leaving.
var (
	errStarting = errors.New("starting")
	errDraining = errors.New("draining")
)

// Health answers whether a service is ready for work: it has started, all its
// checks hold, and it is not leaving. Beside these it tells what the service can do
// without for a while.
type Health struct {
	mu       sync.Mutex
	checks   []namedCheck
	starting bool
	draining bool
}

type namedCheck struct {
	name    string
	check   func(context.Context) error
	informs bool
}

// CheckState is the outcome of one check; a nil Err means that it holds.
type CheckState struct {
	Name string
	Err  error
	// Informs is set for a check that readiness does not depend on: with an
	// Err the service is degraded.
	Informs bool
}

// String is "ok", or why the check does not hold, behind "degraded: " when
// it only informs.
func (s CheckState) String() string {
	switch {
	case s.Err == nil:
		return "ok"
	case s.Informs:
		return "degraded: " + s.Err.Error()
	default:
		return s.Err.Error()
	}
}

// NewHealth is ready until a check is added that is not.
func NewHealth() *Health { return &Health{} }

// Add has readiness depend on a check. It is called with a deadline of a
// second, from several goroutines.
func (h *Health) Add(name string, check func(context.Context) error) {
	h.add(namedCheck{name: name, check: check})
}

// Watch has a check told of that readiness does not depend on, such as a
// server that all replicas share and can do without for a while: were they not
// ready because of it, nobody would be. It is called as those of Add are.
func (h *Health) Watch(name string, check func(context.Context) error) {
	h.add(namedCheck{name: name, check: check, informs: true})
}

func (h *Health) add(c namedCheck) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.checks = append(h.checks, c)
}

// Starting turns readiness off until Started: a service adds its checks while
// it starts, and until the last is there, those that hold say nothing.
func (h *Health) Starting() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.starting = true
}

// Started is called once all checks are added, and does nothing without a
// Starting before.
func (h *Health) Started() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.starting = false
}

// Drain turns readiness off for good, so that nobody sends new work.
func (h *Health) Drain() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.draining = true
}

// Draining reports whether Drain was called.
func (h *Health) Draining() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.draining
}

// Ready is nil when every check of Add holds, else it names those that do
// not.
func (h *Health) Ready(ctx context.Context) error {
	var errs []error
	for _, state := range h.States(ctx) {
		if state.Err != nil && !state.Informs {
			errs = append(errs, fmt.Errorf("%s: %w", state.Name, state.Err))
		}
	}
	return errors.Join(errs...)
}

// States runs all checks at once and returns them in the order in which they
// were added.
func (h *Health) States(ctx context.Context) []CheckState {
	h.mu.Lock()
	checks, starting, draining := h.checks[:len(h.checks):len(h.checks)], h.starting, h.draining
	h.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, checkWait)
	defer cancel()
	if starting {
		checks = append(checks, namedCheck{name: "starting", check: func(context.Context) error { return errStarting }})
	}
	if draining {
		checks = append(checks, namedCheck{name: "draining", check: func(context.Context) error { return errDraining }})
	}
	states := make([]CheckState, len(checks))
	var wg sync.WaitGroup
	for i, c := range checks {
		wg.Go(func() { states[i] = CheckState{Name: c.name, Err: c.check(ctx), Informs: c.informs} })
	}
	wg.Wait()
	return states
}
