package chat

import (
	"context"
	"time"

	"github.com/parley-im/parley/pkg/bus"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/telemetry"
)

// timed is a store whose calls are measured, by verb.
type timed struct {
	bus.TimedOutbox
	verbs
	timer *telemetry.StoreTimer
}

// verbs are the store's own, one embedding deeper than those of its outbox,
// which therefore stand before the store's.
type verbs struct{ Store }

func newTimed(store Store, url string, tel *telemetry.Telemetry) Store {
	timer := tel.NewStoreTimer(url, ErrSeqTaken, ErrClientIDTaken)
	return timed{TimedOutbox: bus.TimeOutbox(store, timer), verbs: verbs{store}, timer: timer}
}

func (t timed) Append(ctx context.Context, records []Record) (stored int, err error) {
	defer t.timer.Took(ctx, "append", time.Now(), &err)
	return t.Store.Append(ctx, records)
}

func (t timed) Tails(ctx context.Context, roomIDs []string) (got map[string]int64, err error) {
	defer t.timer.Took(ctx, "tails", time.Now(), &err)
	return t.Store.Tails(ctx, roomIDs)
}

func (t timed) ByClientID(ctx context.Context, keys []Key) (got map[Key]Record, err error) {
	defer t.timer.Took(ctx, "by_client_id", time.Now(), &err)
	return t.Store.ByClientID(ctx, keys)
}

func (t timed) Page(ctx context.Context, r Range) (got []Record, err error) {
	defer t.timer.Took(ctx, "page", time.Now(), &err)
	return t.Store.Page(ctx, r)
}

func (t timed) Messages(ctx context.Context, at []Place) (got map[string]Record, err error) {
	defer t.timer.Took(ctx, "messages", time.Now(), &err)
	return t.Store.Messages(ctx, at)
}

func (t timed) Remove(ctx context.Context, r Removal) (got bool, err error) {
	defer t.timer.Took(ctx, "remove", time.Now(), &err)
	return t.Store.Remove(ctx, r)
}

func (t timed) Positions(ctx context.Context, userID, after string, limit int) (got []Position, err error) {
	defer t.timer.Took(ctx, "positions", time.Now(), &err)
	return t.Store.Positions(ctx, userID, after, limit)
}

func (t timed) Written(ctx context.Context, w Written) (got []Record, next string, err error) {
	defer t.timer.Took(ctx, "written", time.Now(), &err)
	return t.Store.Written(ctx, w)
}

func (t timed) Erase(ctx context.Context, e Erasure) (done Erased, err error) {
	defer t.timer.Took(ctx, "erase", time.Now(), &err)
	return t.Store.Erase(ctx, e)
}

func (t timed) Rooms(ctx context.Context, after string, limit int) (got []string, err error) {
	defer t.timer.Took(ctx, "rooms", time.Now(), &err)
	return t.Store.Rooms(ctx, after, limit)
}

func (t timed) Expire(ctx context.Context, e Expiry) (done Expired, err error) {
	defer t.timer.Took(ctx, "expire", time.Now(), &err)
	return t.Store.Expire(ctx, e)
}

func (t timed) Post(ctx context.Context, events []contract.Event) (err error) {
	defer t.timer.Took(ctx, "post", time.Now(), &err)
	return t.Store.Post(ctx, events)
}

func (t timed) SetReads(ctx context.Context, positions []Position) (moved []Position, err error) {
	defer t.timer.Took(ctx, "set_reads", time.Now(), &err)
	return t.Store.SetReads(ctx, positions)
}

func (t timed) Heads(ctx context.Context, of ...UserRooms) (got []map[string]Head, err error) {
	defer t.timer.Took(ctx, "heads", time.Now(), &err)
	return t.Store.Heads(ctx, of...)
}

func (t timed) Now(ctx context.Context) (now time.Time, err error) {
	defer t.timer.Took(ctx, "now", time.Now(), &err)
	return t.Store.Now(ctx)
}
