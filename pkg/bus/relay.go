package bus

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/telemetry"
)

const (
	// storeTimeout bounds one call of the outbox.
	storeTimeout = 5 * time.Second
	// stopGrace is how long a stopping relay goes on with its batch.
	stopGrace = 3 * time.Second
	// minBackoff and maxBackoff bound the pause after a failure; it doubles.
	minBackoff = 100 * time.Millisecond
	maxBackoff = 10 * time.Second
)

// RelayOptions say how a relay works; all but Holder and Telemetry may be
// zero.
type RelayOptions struct {
	// Holder names this process in the lease: unique, and new on each start.
	Holder string
	// Interval is how often the outbox is looked at without a Kick, and the
	// lease while another holds it. 0: a second.
	Interval time.Duration
	// LeaseTTL is how long after the death of one relay another takes over;
	// the lease is renewed at a third of it. 0: ten seconds.
	LeaseTTL time.Duration
	// Batch is how many events are read, published and removed together.
	// 0: 256.
	Batch int
	// StallAfter is how long the oldest event may wait, whichever process
	// relays, until Check reports it. 0: 30 seconds.
	StallAfter time.Duration
	Telemetry  *telemetry.Telemetry
}

// Relay moves events from an outbox to IM_EVENTS, each at least once and in
// order per key. Of all relays on an outbox one works at a time.
type Relay struct {
	nc      *nats.Conn
	outbox  Outbox
	o       RelayOptions
	log     *slog.Logger
	metrics *relayMetrics
	kick    chan struct{} // holds one: a kick during a batch is not lost
	stall   stall

	// Of Run's goroutine only.
	js         jetstream.JetStream
	leaseUntil time.Time // we are the only relay until then; zero: we are not
	renewAt    time.Time
	failures   int // in a row
}

// NewRelay prepares a relay; it does nothing before Run. EnsureStream comes
// first. It adds the informational check "relay", which is [Relay.Check].
func NewRelay(nc *nats.Conn, outbox Outbox, o RelayOptions) *Relay {
	o.Interval = cmp.Or(o.Interval, time.Second)
	o.LeaseTTL = cmp.Or(o.LeaseTTL, 10*time.Second)
	o.Batch = cmp.Or(o.Batch, 256)
	r := &Relay{
		nc:      nc,
		outbox:  outbox,
		o:       o,
		log:     o.Telemetry.Log,
		metrics: newRelayMetrics(o.Telemetry.Metrics),
		kick:    make(chan struct{}, 1),
		stall:   stall{after: cmp.Or(o.StallAfter, 30*time.Second)},
	}
	o.Telemetry.Health.Watch("relay", r.Check)
	return r
}

// Kick has the relay look at the outbox now, if it is this one that works;
// call it after a write. It never blocks.
func (r *Relay) Kick() {
	select {
	case r.kick <- struct{}{}:
	default:
	}
}

// Run relays until ctx ends, finishes the batch in hand (3 s at most), gives
// up the lease and returns nil. Errors of the store and of NATS are logged,
// counted and tried again, with growing pauses.
func (r *Relay) Run(ctx context.Context) error {
	js, err := jetstream.New(r.nc)
	if err != nil {
		return fmt.Errorf("relay events: %w", err)
	}
	r.js = js
	defer r.release(context.WithoutCancel(ctx))
	for ctx.Err() == nil {
		more, err := r.round(ctx)
		pause, kick := r.o.Interval, r.kick
		switch {
		case err != nil && ctx.Err() == nil:
			pause, kick = r.failed(err), nil // kicks do not shorten a backoff
		case err == nil:
			r.failures = 0
			r.stall.failed(nil, 0)
			if more {
				continue
			}
		}
		if r.leaseUntil.IsZero() {
			kick = nil // another relays: it is for our lease that we look
		}
		select {
		case <-ctx.Done():
		case <-kick:
		case <-time.After(pause):
		}
	}
	return nil
}

// round relays one batch, if the lease is ours. It reports whether more may
// be waiting.
func (r *Relay) round(ctx context.Context) (more bool, err error) {
	held, err := r.hold(ctx)
	if err != nil {
		return false, err
	}
	if !held {
		return false, r.look(ctx)
	}
	// A batch that outlived the lease would run beside another relay's.
	work, cancel := context.WithDeadline(context.WithoutCancel(ctx), r.leaseUntil)
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(stopGrace, cancel) })()

	events, err := r.pending(work)
	if err != nil {
		return false, err
	}
	r.metrics.saw(events)
	r.stall.saw(events)
	if len(events) == 0 {
		return false, nil
	}
	done, publishErr := publish(work, r.js, events)
	r.metrics.relayed.Add(float64(len(done)))
	if err := r.done(work, done); err != nil {
		return false, err
	}
	left := without(events, done)
	r.metrics.saw(left)
	r.stall.saw(left)
	// A batch may end before its limit, by bytes: only an empty one is the last.
	return len(done) > 0, publishErr
}

// hold takes the lease, or renews it once a third of it has passed.
func (r *Relay) hold(ctx context.Context) (bool, error) {
	now := time.Now()
	if now.Before(r.renewAt) {
		return true, nil
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	held, err := r.outbox.Lease(ctx, r.o.Holder, r.o.LeaseTTL)
	if err != nil {
		r.lead(time.Time{})
		return false, fmt.Errorf("hold the relay's lease: %w", err)
	}
	if !held {
		r.lead(time.Time{})
		return false, nil
	}
	// Counted from before the call: the store may have begun later, never
	// earlier.
	r.lead(now)
	return true, nil
}

// lead notes that the lease was asked for and given at since; zero: it is not
// ours.
func (r *Relay) lead(since time.Time) {
	was := !r.leaseUntil.IsZero()
	r.leaseUntil, r.renewAt = time.Time{}, time.Time{}
	if !since.IsZero() {
		r.leaseUntil, r.renewAt = since.Add(r.o.LeaseTTL), since.Add(r.o.LeaseTTL/3)
	}
	is := !r.leaseUntil.IsZero()
	if is == was {
		return
	}
	if is {
		r.metrics.leader.Set(1)
		r.log.Info("relaying events", "holder", r.o.Holder)
		return
	}
	r.metrics.leader.Set(0)
	r.metrics.saw(nil)
	r.log.Info("no longer relaying events", "holder", r.o.Holder)
}

func (r *Relay) pending(ctx context.Context) ([]contract.Event, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	events, err := r.outbox.Pending(ctx, r.o.Batch)
	if err != nil {
		return nil, fmt.Errorf("read pending events: %w", err)
	}
	return events, nil
}

func (r *Relay) done(ctx context.Context, events []contract.Event) error {
	if len(events) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	if err := r.outbox.Done(ctx, events); err != nil {
		return fmt.Errorf("remove relayed events: %w", err)
	}
	return nil
}

// failed counts and logs an error and returns how long to pause.
func (r *Relay) failed(err error) time.Duration {
	r.metrics.errors.Inc()
	pause := min(minBackoff<<min(r.failures, 10), maxBackoff)
	r.failures++
	r.stall.failed(err, r.failures)
	pause = pause/2 + rand.N(pause/2)
	r.log.Warn("relay events", "err", err, "failures", r.failures, "retry_in", pause)
	return pause
}

// release lets another relay take over at once.
func (r *Relay) release(ctx context.Context) {
	if r.leaseUntil.IsZero() {
		return
	}
	r.lead(time.Time{})
	ctx, cancel := context.WithTimeout(ctx, stopGrace)
	defer cancel()
	if _, err := r.outbox.Lease(ctx, r.o.Holder, 0); err != nil {
		r.log.Warn("give up the relay's lease", "err", err)
	}
}
