package mongodb

import (
	"time"

	"go.mongodb.org/mongo-driver/bson"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
)

// maxWaiting bounds the events that wait in one document, far below the
// server's 16 MB a document; only a relay that has long stood still gets near.
const maxWaiting = 10_000

// Outboxed gives a document an outbox, so that a change and the events that
// report it are one write. Embed it inline, in a document that has a string
// _id and an int64 rev:
//
//	type roomDoc struct {
//		ID               string `bson:"_id"`
//		Rev              int64  `bson:"rev"`
//		mongodb.Outboxed `bson:",inline"`
//		…
//	}
//
// Call AddEvents on it before it is inserted or goes to [Replace], and name
// its collection in [DB.Outbox]. A document must not be deleted while events
// wait in it. The relay takes events out under a guard of their own: rev counts
// changes of state only, and is what the events report.
type Outboxed struct {
	Outbox []Event `bson:"outbox,omitempty"`
	// OutboxAt is the time of the oldest entry, in milliseconds since the
	// Unix epoch, and absent while there is none: the relay finds waiting
	// documents by a sparse index over it.
	OutboxAt int64 `bson:"outbox_at,omitempty"`
	// OutboxRev counts how often the relay took events out, and is absent until
	// it did. [Replace] and [Outbox.Done] write under rev and OutboxRev, so that
	// neither overwrites the outbox of the other.
	OutboxRev int64 `bson:"outbox_rev,omitempty"`
}

// Event is one durable event as it waits in a document.
type Event struct {
	ID      string `bson:"id"`
	Key     string `bson:"key"`
	Subject string `bson:"subject"`
	Payload string `bson:"payload"` // JSON
	At      int64  `bson:"at"`      // milliseconds; never less than the entry before
}

// AddEvents appends events, which happened now, behind those that wait.
func (o *Outboxed) AddEvents(now time.Time, events []contract.Event) {
	at := now.UnixMilli()
	if n := len(o.Outbox); n > 0 {
		at = max(at, o.Outbox[n-1].At) // clocks of two replicas differ
	}
	for _, e := range events {
		o.Outbox = append(o.Outbox, Event{ID: e.ID, Key: e.Key, Subject: e.Subject, Payload: string(e.Payload), At: at})
	}
	o.settle()
}

// merge appends those events that are not there yet.
func (o *Outboxed) merge(events []Event) error {
	known := make(map[string]bool, len(o.Outbox))
	var at int64
	for _, e := range o.Outbox {
		known[e.ID] = true
		at = e.At
	}
	for _, e := range events {
		if !known[e.ID] {
			e.At = max(e.At, at)
			o.Outbox = append(o.Outbox, e)
		}
	}
	if len(o.Outbox) > maxWaiting {
		return fault.New(fault.Unavailable, "too many events of this record wait to be relayed")
	}
	o.settle()
	return nil
}

// remove takes out the entries whose id is in done and tells whether any was.
func (o *Outboxed) remove(done map[string]bool) bool {
	var kept []Event
	for _, e := range o.Outbox {
		if !done[e.ID] {
			kept = append(kept, e)
		}
	}
	removed := len(kept) < len(o.Outbox)
	o.Outbox = kept
	o.settle()
	return removed
}

func (o *Outboxed) settle() {
	o.OutboxAt = 0
	if len(o.Outbox) > 0 {
		o.OutboxAt = o.Outbox[0].At
	}
}

// fields returns those of the stored document that concern the outbox, without
// the empty ones.
func (o *Outboxed) fields() bson.D {
	var fields bson.D
	if len(o.Outbox) > 0 {
		fields = bson.D{{Key: "outbox", Value: o.Outbox}, {Key: "outbox_at", Value: o.OutboxAt}}
	}
	if o.OutboxRev > 0 {
		fields = append(fields, bson.E{Key: "outbox_rev", Value: o.OutboxRev})
	}
	return fields
}

// outboxFields are the fields of Outboxed in a document.
var outboxFields = []string{"outbox", "outbox_at", "outbox_rev"}

// guard adds to a filter by id and rev that no event was taken out since o was
// read.
func (o *Outboxed) guard(filter bson.D) bson.D {
	var rev any // null finds a document without the field
	if o.OutboxRev > 0 {
		rev = o.OutboxRev
	}
	return append(filter, bson.E{Key: "outbox_rev", Value: rev})
}

// embedsOutboxed is any document, or pointer to one, that embeds Outboxed.
type embedsOutboxed interface{ outboxed() Outboxed }

func (o Outboxed) outboxed() Outboxed { return o }
