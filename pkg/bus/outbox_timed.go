package bus

import (
	"context"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/telemetry"
)

// TimedOutbox is an outbox whose calls are measured, by verb.
type TimedOutbox struct {
	outbox Outbox
	timer  *telemetry.StoreTimer
}

// TimeOutbox measures an outbox by the timer of the store that it is part of.
func TimeOutbox(outbox Outbox, timer *telemetry.StoreTimer) TimedOutbox {
	return TimedOutbox{outbox: outbox, timer: timer}
}

// Pending makes TimedOutbox an Outbox.
func (t TimedOutbox) Pending(ctx context.Context, limit int) (got []contract.Event, err error) {
	defer t.timer.Took(ctx, "pending", time.Now(), &err)
	return t.outbox.Pending(ctx, limit)
}

// Done makes TimedOutbox an Outbox.
func (t TimedOutbox) Done(ctx context.Context, events []contract.Event) (err error) {
	defer t.timer.Took(ctx, "done", time.Now(), &err)
	return t.outbox.Done(ctx, events)
}

// Lease makes TimedOutbox an Outbox.
func (t TimedOutbox) Lease(ctx context.Context, holder string, ttl time.Duration) (got bool, err error) {
	defer t.timer.Took(ctx, "lease", time.Now(), &err)
	return t.outbox.Lease(ctx, holder, ttl)
}
