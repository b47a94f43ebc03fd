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

// errDraining is why a service that is leaving is not ready.
var errDraining = errors.New("draining")

// Health answers whether a service is ready for work: all its checks hold
// and it is not leaving.
type Health struct {
	mu       sync.Mutex
	checks   []namedCheck
	draining bool
}

type namedCheck struct {
	name  string
	check func(context.Context) error
}

// CheckState is the outcome of one check; a nil Err means that it holds.
type CheckState struct {
	Name string
	Err  error
}

// NewHealth is ready until a check is added that is not.
func NewHealth() *Health { return &Health{} }

// Add has readiness depend on a check. It is called with a deadline of a
// second, from several goroutines.
func (h *Health) Add(name string, check func(context.Context) error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.checks = append(h.checks, namedCheck{name, check})
}

// Drain turns readiness off for good, so that nobody sends new work.
func (h *Health) Drain() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.draining = true
}

// Ready is nil when every check holds, else it names those that do not.
func (h *Health) Ready(ctx context.Context) error {
	var errs []error
	for _, state := range h.States(ctx) {
		if state.Err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", state.Name, state.Err))
		}
	}
	return errors.Join(errs...)
}

// States runs all checks at once and returns them in the order of Add.
func (h *Health) States(ctx context.Context) []CheckState {
	h.mu.Lock()
	checks, draining := h.checks[:len(h.checks):len(h.checks)], h.draining
	h.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, checkWait)
	defer cancel()
	if draining {
		checks = append(checks, namedCheck{"draining", func(context.Context) error { return errDraining }})
	}
	states := make([]CheckState, len(checks))
	var wg sync.WaitGroup
	for i, c := range checks {
		wg.Go(func() { states[i] = CheckState{c.name, c.check(ctx)} })
	}
	wg.Wait()
	return states
}
