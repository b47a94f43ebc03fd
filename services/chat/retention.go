package chat

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
)

const (
	// expiryRooms is how many rooms are asked for at once.
	expiryRooms = 200
	// expiryPart bounds one write, for which sends wait.
	expiryPart = 500
	// expiryWait bounds one call of the store.
	expiryWait = 30 * time.Second
)

// RetentionOptions say for how long messages are kept, 0 for ever.
type RetentionOptions struct {
	Direct, Group time.Duration
	Every         time.Duration // between two rounds, on average
	// Now is the time to remove by; with an error nothing is removed.
	Now func(context.Context) (time.Time, error)
}

// Retention replaces old messages by tombstones: seq and client_id stay, so that
// a repeated send is still known. Nobody is told at once:
// clients see it when they read again, consumers by one event for each part of
// a room. What is remembered is forgotten before it is old (Config).
//
// Each replica has one. Those that work at the same time do nothing twice.
type Retention struct {
	store Store
	o     RetentionOptions
	log   *slog.Logger
	kick  func() // the relay
}

// mostFailedRooms ends a round.
const mostFailedRooms = 10

// NewRetention returns nil when all is kept.
func NewRetention(store Store, o RetentionOptions, log *slog.Logger, kick func()) *Retention {
	if o.Direct <= 0 && o.Group <= 0 {
		return nil
	}
	return &Retention{store: store, o: o, log: log, kick: kick}
}

// Run makes round after round until ctx ends.
func (r *Retention) Run(ctx context.Context) error {
	for {
		removed, err := r.Round(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			r.log.WarnContext(ctx, "old messages could not be removed", "removed", removed, "err", err)
		case removed > 0:
			r.log.InfoContext(ctx, "old messages removed", "removed", removed)
		}
		timer := time.NewTimer(r.o.Every/2 + rand.N(r.o.Every)) // so that replicas take turns
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
}

// Round goes through all rooms once and returns how many messages it removed.
// A room that fails does not keep those after it from their turn; many that do
// are an outage.
func (r *Retention) Round(ctx context.Context) (removed int, err error) {
	now, err := bounded(ctx, r.o.Now)
	if err != nil {
		return 0, err
	}
	var failed []error
	for after := ""; ; {
		rooms, err := bounded(ctx, func(ctx context.Context) ([]string, error) { return r.store.Rooms(ctx, after, expiryRooms) })
		if err != nil || len(rooms) == 0 {
			return removed, errors.Join(append(failed, err)...)
		}
		for _, room := range rooms {
			n, err := r.room(ctx, room, now)
			if removed += n; err == nil {
				continue
			}
			failed = append(failed, fmt.Errorf("room %s: %w", room, err))
			if ctx.Err() != nil || len(failed) == mostFailedRooms {
				return removed, errors.Join(failed...)
			}
		}
		after = rooms[len(rooms)-1]
	}
}

func (r *Retention) room(ctx context.Context, roomID string, now time.Time) (removed int, err error) {
	keep := r.o.Group
	if id.IsPair(roomID) {
		keep = r.o.Direct
	}
	if keep <= 0 {
		return 0, nil
	}
	e := Expiry{
		RoomID: roomID, Before: contract.NewTime(now.Add(-keep)), By: contract.RemovedByRetention, At: contract.NewTime(now),
		Limit: expiryPart, Tell: expired,
	}
	for more := true; more; {
		done, err := bounded(ctx, func(ctx context.Context) (Expired, error) { return r.store.Expire(ctx, e) })
		if removed += done.Removed; err != nil {
			return removed, err
		}
		if more = done.More; done.Removed > 0 {
			r.kick()
		}
	}
	return removed, nil
}

// expired is the event that tells of a part of a room.
func expired(r Removal) (contract.Event, error) {
	return contract.MessagesExpired.New(id.New(), r.RoomID, r.At.Time, contract.MessageEvent{RoomID: r.RoomID, Seq: r.Seq, By: r.By})
}

func bounded[T any](ctx context.Context, call func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, expiryWait)
	defer cancel()
	return call(ctx)
}
