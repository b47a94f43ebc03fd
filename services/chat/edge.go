package chat

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
)

// edgeStore is the Store as requests ask it. A store that cannot answer, or
// does not in time, is told as Unavailable with a hint, and noted in the log
// here; what is a mistake of ours stays an error that becomes Internal. The
// committers ask the Store itself: they draw their own conclusions.
type edgeStore struct {
	Store
	within time.Duration // of one call
	// patient is how many calls may wait at once for a store that has not
	// answered anyone for awayAfter; more are refused, so that other requests
	// find a worker.
	patient int64
	log     *slog.Logger

	waiting atomic.Int64
	made    time.Time
	heard   atomic.Int64 // when it answered, or the first who waits came, after made
	told    sparse
}

// newEdgeStore takes bounds, which must be positive.
func newEdgeStore(store Store, within time.Duration, patient int, log *slog.Logger) *edgeStore {
	return &edgeStore{Store: store, within: within, patient: int64(patient), made: time.Now(), log: log}
}

func (s *edgeStore) Tails(ctx context.Context, roomIDs []string) (map[string]int64, error) {
	return ask(ctx, s, func(ctx context.Context) (map[string]int64, error) { return s.Store.Tails(ctx, roomIDs) })
}

func (s *edgeStore) Page(ctx context.Context, r Range) ([]Record, error) {
	return ask(ctx, s, func(ctx context.Context) ([]Record, error) { return s.Store.Page(ctx, r) })
}

func (s *edgeStore) Messages(ctx context.Context, at []Place) (map[string]Record, error) {
	return ask(ctx, s, func(ctx context.Context) (map[string]Record, error) { return s.messagesApart(ctx, at) })
}

func (s *edgeStore) Remove(ctx context.Context, r Removal) (bool, error) {
	return ask(ctx, s, func(ctx context.Context) (bool, error) { return s.Store.Remove(ctx, r) })
}

// MoveReads moves read positions as SetReads does, but each has an outcome of its
// own. It returns those that moved, and of those that may not have been stored
// the cause.
func (s *edgeStore) MoveReads(ctx context.Context, positions []Position) (moved []Position, failed map[Position]error) {
	reads := newReadsApart(positions)
	_, err := ask(ctx, s, func(ctx context.Context) (struct{}, error) { return struct{}{}, s.setReadsApart(ctx, reads, positions) })
	for p := range reads.open {
		reads.failed[p] = err
	}
	return reads.moved, reads.failed
}

func (s *edgeStore) Heads(ctx context.Context, of ...UserRooms) ([]map[string]Head, error) {
	return ask(ctx, s, func(ctx context.Context) ([]map[string]Head, error) { return s.headsApart(ctx, of) })
}

func (s *edgeStore) Positions(ctx context.Context, userID, after string, limit int) ([]Position, error) {
	return ask(ctx, s, func(ctx context.Context) ([]Position, error) { return s.Store.Positions(ctx, userID, after, limit) })
}

func (s *edgeStore) Written(ctx context.Context, w Written) (records []Record, next string, err error) {
	records, err = ask(ctx, s, func(ctx context.Context) (got []Record, err error) {
		got, next, err = s.Store.Written(ctx, w)
		return got, err
	})
	return records, next, err
}

func (s *edgeStore) Erase(ctx context.Context, e Erasure) (Erased, error) {
	return ask(ctx, s, func(ctx context.Context) (Erased, error) { return s.Store.Erase(ctx, e) })
}

func (s *edgeStore) Post(ctx context.Context, events []contract.Event) error {
	_, err := ask(ctx, s, func(ctx context.Context) (struct{}, error) { return struct{}{}, s.Store.Post(ctx, events) })
	return err
}

// ask makes one call of the store.
func ask[T any](ctx context.Context, s *edgeStore, call func(context.Context) (T, error)) (T, error) {
	var none T
	defer s.waiting.Add(-1)
	if !s.enter(time.Now()) {
		return none, storeAway(errStalled)
	}
	limited, cancel := context.WithTimeout(ctx, answerWithin(ctx, s.within))
	defer cancel()
	got, err := call(limited)
	if limited.Err() == nil {
		s.heard.Store(int64(time.Since(s.made)))
	}
	if err != nil {
		return none, s.judge(ctx, limited, err)
	}
	return got, nil
}

// enter counts a call, and is false when too many wait in vain already.
func (s *edgeStore) enter(now time.Time) bool {
	n := s.waiting.Add(1)
	if n == 1 {
		s.heard.Store(int64(now.Sub(s.made)))
	}
	return n <= s.patient || now.Sub(s.made)-time.Duration(s.heard.Load()) < awayAfter
}

// judge tells a store that is away from a caller who is, and from our own
// mistakes.
func (s *edgeStore) judge(caller, limited context.Context, err error) error {
	var f *fault.Error
	switch {
	case errors.Is(caller.Err(), context.Canceled):
		return errors.Join(caller.Err(), err) // whatever it looked like from within
	case limited.Err() != nil:
	case errors.As(err, &f) && f.Code != fault.Unavailable:
		return err
	case errors.Is(err, ErrUnreadable):
		return err
	}
	if more, ok := s.told.now(time.Now()); ok {
		s.log.WarnContext(caller, "the store could not be asked", "more", more, "err", err)
	}
	return storeAway(err)
}

// sparse lets one of many equal lines into the log each second.
type sparse struct {
	mu   sync.Mutex
	last time.Time
	left int // out, since the last
}

// now reports whether this one goes in, and how many were left out before it.
func (s *sparse) now(at time.Time) (more int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at.Sub(s.last) < time.Second {
		s.left++
		return 0, false
	}
	more, s.left, s.last = s.left, 0, at
	return more, true
}
