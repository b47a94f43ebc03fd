package mongodb

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"

	"github.com/parley-im/parley/pkg/revision"
)

// leaseDoc says who holds something. Its revision rises with every renewal.
type leaseDoc struct {
	ID     string `bson:"_id"`
	Rev    int64  `bson:"rev"`
	Holder string `bson:"holder"`
	TTL    int64  `bson:"ttl_ms"`
}

// lease is what one process knows of a lease, of the collection leases.
type lease struct {
	db *DB
	id string

	mu    sync.Mutex
	rev   int64     // of another's, as seen last
	since time.Time // when it was seen first
}

// Lease lets holder, and nobody else, relay for ttl from now on; false means
// that another holds the lease. The holder renews it by calling again, and
// gives it up with a ttl of zero.
//
// Machines need not agree on the time: a lease has run out for a process that
// has itself seen it stand unrenewed for its ttl. A takeover therefore needs
// at least two calls.
func (o *Outbox) Lease(ctx context.Context, holder string, ttl time.Duration) (bool, error) {
	return o.lease.take(ctx, holder, ttl)
}

// outboxLease is who relays the events of some collections.
func outboxLease(db *DB, collections []string) *lease {
	return &lease{db: db, id: "outbox:" + strings.Join(collections, ",")}
}

func (l *lease) take(ctx context.Context, holder string, ttl time.Duration) (bool, error) {
	c := l.db.Collection("leases")
	next := leaseDoc{ID: l.id, Rev: 1, Holder: holder, TTL: ttl.Milliseconds()}
	var now leaseDoc
	err := c.FindOne(ctx, bson.D{{Key: "_id", Value: next.ID}}).Decode(&now)
	switch {
	case errors.Is(err, mongo.ErrNoDocuments):
		_, err = c.InsertOne(ctx, next)
	case err == nil && now.Holder != holder && !l.ranOut(now):
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
func (l *lease) ranOut(d leaseDoc) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.rev != d.Rev {
		l.rev, l.since = d.Rev, time.Now()
	}
	return time.Since(l.since) >= time.Duration(d.TTL)*time.Millisecond
}
