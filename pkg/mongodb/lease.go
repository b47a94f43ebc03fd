package mongodb

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"

	"github.com/parley-im/parley/pkg/revision"
)

// leaseDoc says who relays. Its revision rises with every renewal.
type leaseDoc struct {
	ID     string `bson:"_id"` // "outbox:" and the collections
	Rev    int64  `bson:"rev"`
	Holder string `bson:"holder"`
	TTL    int64  `bson:"ttl_ms"`
}

// sighting is which revision of another's lease this process has seen last,
// and since when.
type sighting struct {
	rev   int64
	since time.Time
}

// Lease lets holder, and nobody else, relay for ttl from now on; false means
// that another holds the lease. The holder renews it by calling again, and
// gives it up with a ttl of zero.
//
// Machines need not agree on the time: a lease has run out for a process that
// has itself seen it stand unrenewed for its ttl. A takeover therefore needs
// at least two calls.
func (o *Outbox) Lease(ctx context.Context, holder string, ttl time.Duration) (bool, error) {
	c := o.db.Collection("leases")
	next := leaseDoc{
		ID:     "outbox:" + strings.Join(o.collections, ","),
		Rev:    1,
		Holder: holder,
		TTL:    ttl.Milliseconds(),
	}
	var now leaseDoc
	err := c.FindOne(ctx, bson.D{{Key: "_id", Value: next.ID}}).Decode(&now)
	switch {
	case errors.Is(err, mongo.ErrNoDocuments):
		_, err = c.InsertOne(ctx, next)
	case err == nil && now.Holder != holder && !o.ranOut(now):
		return false, nil
	case err == nil:
		next.Rev = now.Rev + 1
		err = Replace(ctx, c, next.ID, now.Rev, next)
	}
	switch {
	case errors.Is(err, revision.ErrConflict), IsDuplicate(err, ""):
		return false, nil // another was faster
	case err != nil:
		return false, fmt.Errorf("take lease: %w", AsFault(err))
	}
	return ttl > 0, nil
}

// ranOut reports whether another's lease has been seen unrenewed for its ttl.
func (o *Outbox) ranOut(l leaseDoc) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.lease.rev != l.Rev {
		o.lease = sighting{rev: l.Rev, since: time.Now()}
	}
	return time.Since(o.lease.since) >= time.Duration(l.TTL)*time.Millisecond
}
