package bus

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/parley-im/parley/pkg/contract"
)

const (
	// lookEvery is how often a relay that does not hold the lease looks for
	// events that nobody relays, as a part of the time after which it reports
	// them.
	lookEvery = 4
	// stallFailures is how many failures in a row are reported at once.
	stallFailures = 3
)

// stall notes whether events get from the outbox into IM_EVENTS.
type stall struct {
	after time.Duration

	mu      sync.Mutex
	oldest  string    // id of the event that waits longest; empty: none waits
	since   time.Time // when it was seen first, by the monotonic clock
	looked  time.Time
	failure error // of the last round; nil: it went well
	times   int   // failures in a row
}

// saw notes the events that wait, the oldest first.
func (s *stall) saw(events []contract.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looked = time.Now()
	switch {
	case len(events) == 0:
		s.oldest = ""
	case s.oldest != events[0].ID:
		s.oldest, s.since = events[0].ID, s.looked
	}
}

func (s *stall) failed(err error, times int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failure, s.times = err, times
}

func (s *stall) mayLook() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Since(s.looked) >= s.after/lookEvery
}

// look reads the oldest event while another process holds the lease: that
// process may be dead, or may fail for ever.
func (r *Relay) look(ctx context.Context) error {
	if !r.stall.mayLook() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	events, err := r.outbox.Pending(ctx, 1)
	if err != nil {
		return fmt.Errorf("read pending events: %w", err)
	}
	r.stall.saw(events)
	return nil
}

// Check is an error while this process keeps failing to relay, or while the
// oldest event has waited for [RelayOptions].StallAfter, whichever process
// should relay it. Nothing is lost meanwhile and requests are answered: it is a
// check for [telemetry.Health.Watch].
func (r *Relay) Check(context.Context) error {
	s := &r.stall
	s.mu.Lock()
	defer s.mu.Unlock()
	waits := s.oldest != "" && time.Since(s.since) >= s.after
	switch {
	case s.failure != nil && (waits || s.times >= stallFailures):
		return fmt.Errorf("events do not get into %s: %w", contract.StreamName, s.failure)
	case waits:
		return fmt.Errorf("an event waits for %s for over %s", contract.StreamName, s.after)
	}
	return nil
}
