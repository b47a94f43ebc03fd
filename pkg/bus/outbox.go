package bus

import (
	"context"
	"time"

	"github.com/parley-im/parley/pkg/contract"
)

// Outbox is where a store keeps events from the change that they report until
// they lie in IM_EVENTS.
type Outbox interface {
	// Pending returns events that are not yet Done, the oldest first and in
	// order per Key, at most limit.
	Pending(ctx context.Context, limit int) ([]contract.Event, error)
	// Done removes events that are in IM_EVENTS. Those that it could not
	// remove come up as pending again.
	Done(ctx context.Context, events []contract.Event) error
	// Lease lets holder, and nobody else, relay for ttl from now on, or
	// renews that; false means that another holds it. A ttl of zero gives
	// it up. Taking it from a dead holder may need several calls.
	Lease(ctx context.Context, holder string, ttl time.Duration) (bool, error)
}
