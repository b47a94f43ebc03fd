package chat

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/fault"
)

// outageStore is a real store that can be away.
type outageStore struct {
	*faulty
	mode  atomic.Int32
	reads atomic.Int64
	gone  chan struct{} // closed: calls that stall end
}

// How a store is away.
const (
	works   int32 = iota
	fails         // at once, nothing is stored
	refuses       // inserts only, as with a full disk
	mutters       // stores, but does not say so
	stalls        // answers nothing
)

func newOutageStore(t testing.TB, inner Store) *outageStore {
	s := &outageStore{faulty: &faulty{Store: inner}, gone: make(chan struct{})}
	s.onAppend = func(ctx context.Context, r []Record) (int, error) {
		switch s.mode.Load() {
		case fails, refuses:
			return 0, errBroken
		case mutters:
			_, err := inner.Append(ctx, r)
			return 0, errors.Join(errBroken, err)
		case stalls:
			return 0, s.stall(ctx)
		default:
			return inner.Append(ctx, r)
		}
	}
	s.onRead = func(ctx context.Context) error {
		s.reads.Add(1)
		switch s.mode.Load() {
		case fails, mutters:
			return errBroken
		case stalls:
			return s.stall(ctx)
		default:
			return nil
		}
	}
	return s
}

func (s *outageStore) stall(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-s.gone:
		return errBroken
	}
}

// refusedAway fails the test unless err tells to come back later.
func refusedAway(t testing.TB, err error) {
	t.Helper()
	if f := fault.From(err); f == nil || f.Code != fault.Unavailable || f.RetryAfter < time.Second {
		t.Fatalf("got %v, want unavailable and a hint", err)
	}
}

// awaitAway sends until the store counts as away.
func awaitAway(t *testing.T, log *testLog) {
	t.Helper()
	_, err := log.Append(within(t), record("other", "cem", "waits"))
	refusedAway(t, err)
	if !log.committers[0].outage.away() {
		t.Fatal("refused, but the store is not away")
	}
}

func TestLog_when_the_store_is_away(t *testing.T) {
	t.Run("sends_are_refused_and_it_heals_by_itself", func(t *testing.T) {
		store := newOutageStore(t, newStore(t))
		log := startLog(t, store, func(o *LogOptions) { o.SendTimeout = time.Hour })
		mustAppend(t, log, record("room", "ann", "1"))
		store.mode.Store(fails)
		var left atomic.Int64
		waiting := atOnce(10, func(i int) (Receipt, error) {
			defer left.Add(1)
			return log.Append(context.Background(), record("room", fmt.Sprint("waits-", i), "c"))
		})
		await(t, "those who wait to be refused", func() bool { return left.Load() == 10 })
		for _, s := range waiting() {
			refusedAway(t, s.err)
			if !errors.Is(s.err, errBroken) {
				t.Fatalf("the cause is lost: %v", s.err)
			}
		}
		if err := log.Ready(within(t)); !errors.Is(err, errBroken) {
			t.Fatalf("ready: %v", err)
		}
		tried := len(store.batches())
		for i := range 20 {
			_, err := log.Append(within(t), record("room", "late", fmt.Sprint(i)))
			refusedAway(t, err)
		}
		if n := len(store.batches()); n != tried {
			t.Fatalf("%d inserts were tried while the store was away", n-tried)
		}
		asked := store.reads.Load()
		await(t, "the store to be asked without a send", func() bool { return store.reads.Load() > asked })

		store.mode.Store(works)
		await(t, "its return to be noticed without a send", func() bool { return !log.committers[0].outage.away() })
		if got := mustAppend(t, log, record("room", "ann", "2")); got.Seq != 2 || got.Duplicate {
			t.Fatalf("%+v", got)
		}
		if err := log.Ready(within(t)); err != nil {
			t.Fatal(err)
		}
		wantLog(t, store.Store, "room", 2)
	})

	t.Run("what_was_stored_without_a_word_is_found", func(t *testing.T) {
		t.Parallel() // each waits for most of its time
		store := newOutageStore(t, newStore(t))
		log := startLog(t, store)
		mustAppend(t, log, record("room", "ann", "1"))
		store.mode.Store(mutters)
		sent := record("room", "ann", "2")
		_, err := log.Append(within(t), sent)
		refusedAway(t, err)
		wantLog(t, store.Store, "room", 2)

		store.mode.Store(works)
		await(t, "the head to be announced, though nobody tries again", func() bool { return log.out.head("room") == 2 })
		if got := mustAppend(t, log, record("room", "ann", "2")); got.Seq != 2 || got.ID != sent.ID || !got.Duplicate {
			t.Fatalf("the retry got %+v, want %s", got, sent.ID)
		}
		if got := mustAppend(t, log, record("room", "ann", "3")); got.Seq != 3 {
			t.Fatalf("%+v", got)
		}
		wantLog(t, store.Store, "room", 3)
	})

	t.Run("a_tail_from_before_is_not_trusted", func(t *testing.T) {
		t.Parallel()
		file := newFile(t)
		store, other := newOutageStore(t, openFile(t, file)), startLog(t, openFile(t, file))
		log := startLog(t, store)
		mustAppend(t, log, record("room", "ann", "1"))
		store.mode.Store(mutters)
		_, err := log.Append(within(t), record("room", "ann", "2"))
		refusedAway(t, err)
		for n := range 5 { // another replica goes on
			mustAppend(t, other, record("room", "ben", fmt.Sprint(n)))
		}
		store.mode.Store(works)
		await(t, "the store's return", func() bool { return !log.committers[0].outage.away() })
		before := len(store.batches())
		if got := mustAppend(t, log, record("room", "ann", "3")); got.Seq != 8 {
			t.Fatalf("%+v", got)
		}
		if first := store.batches()[before][0]; first.Seq != 8 {
			t.Fatalf("the first try was at %d: a tail that was not read again", first.Seq)
		}
		wantLog(t, store.Store, "room", 8)
	})

	t.Run("reads_that_work_let_few_sends_try", func(t *testing.T) {
		t.Parallel()
		store := newOutageStore(t, newStore(t))
		log := startLog(t, store)
		store.mode.Store(refuses)
		awaitAway(t, log)
		tried := len(store.batches())
		// Each is answered at once, refused before or after one try.
		for n := 0; len(store.batches()) < tried+2; n++ {
			_, err := log.Append(within(t), record("room", "ann", fmt.Sprint(n)))
			refusedAway(t, err)
			if log.Ready(within(t)) == nil {
				t.Fatal("ready while every insert fails")
			}
		}
		store.mode.Store(works)
		await(t, "its return", func() bool {
			_, err := log.Append(within(t), record("room", "ann", "last"))
			return err == nil
		})
		if err := log.Ready(within(t)); err != nil {
			t.Fatal(err)
		}
	})

	t.Run("a_stalled_insert_is_told_before_the_caller_gives_up", func(t *testing.T) {
		t.Parallel()
		store := newOutageStore(t, newStore(t))
		log := startLog(t, store, func(o *LogOptions) { o.StoreTimeout = 20 * time.Second })
		store.mode.Store(stalls)
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		first := atOnce(1, func(int) (Receipt, error) { return log.Append(ctx, record("room", "ann", "1")) })
		await(t, "the insert to count as stalled", func() bool { return log.Ready(within(t)) != nil })
		if _, err := log.Append(within(t), record("room", "ann", "2")); !errors.Is(err, errStalled) {
			t.Fatalf("behind a stalled insert: %v", err)
		}
		refusedAway(t, first()[0].err)
		close(store.gone)
	})

	t.Run("a_stalled_insert_that_ends_well_is_forgotten", func(t *testing.T) {
		t.Parallel()
		store := &faulty{Store: newStore(t)}
		pass, open := newGate(t)
		store.onAppend = func(ctx context.Context, r []Record) (int, error) {
			pass()
			return store.Store.Append(ctx, r)
		}
		log := startLog(t, store)
		first := atOnce(1, func(int) (Receipt, error) { return log.Append(within(t), record("room", "ann", "1")) })
		await(t, "the insert to count as stalled", func() bool { return log.Ready(within(t)) != nil })
		open()
		if s := first()[0]; s.err != nil || s.receipt.Seq != 1 {
			t.Fatalf("%+v, %v", s.receipt, s.err)
		}
		mustAppend(t, log, record("room", "ann", "2"))
	})
}

func TestLog_head_of_a_message_that_nobody_waits_for(t *testing.T) {
	// Its sender has left when the outcome of its insert is not known.
	abandon := func(t *testing.T, log *testLog, store *faulty, then func()) {
		t.Helper()
		inner := store.Store
		ctx, leave := context.WithCancel(context.Background())
		store.onAppend = func(insert context.Context, r []Record) (int, error) {
			_, err := inner.Append(insert, r)
			leave()
			then()
			return 0, errors.Join(errBroken, err)
		}
		if _, err := log.Append(ctx, record("room", "ann", "1")); !fault.Is(err, fault.Unavailable) {
			t.Fatal(err)
		}
	}
	t.Run("is_announced", func(t *testing.T) {
		store := &faulty{Store: newStore(t)}
		log := startLog(t, store)
		abandon(t, log, store, func() {})
		await(t, "the head", func() bool { return log.out.head("room") == 1 })
	})
	t.Run("is_announced_by_a_replica_that_stops", func(t *testing.T) {
		store := &faulty{Store: newStore(t)}
		log := startLog(t, store)
		abandon(t, log, store, log.cancel)
		log.stop()
		if heads := log.out.heads("room"); len(heads) != 1 || heads[0] != 1 {
			t.Fatalf("announced %v", heads)
		}
	})
	t.Run("is_not_announced_when_it_is_not_there", func(t *testing.T) {
		store := &faulty{Store: newStore(t)}
		asked := make(chan struct{}, 100)
		store.onRead = func(context.Context) error { asked <- struct{}{}; return nil }
		ctx, leave := context.WithCancel(context.Background())
		store.onAppend = func(context.Context, []Record) (int, error) { leave(); return 0, errBroken }
		log := startLog(t, store)
		if _, err := log.Append(ctx, record("room", "ann", "1")); !fault.Is(err, fault.Unavailable) {
			t.Fatal(err)
		}
		await(t, "the tail to be read before the insert, and for the doubt", func() bool { return len(asked) >= 2 })
		log.stop()
		if heads := log.out.heads("room"); len(heads) != 0 {
			t.Fatalf("announced %v", heads)
		}
	})
}

// The gauge is what operators watch; the reasons tell a flood from an outage.
func TestLog_metrics_of_an_outage(t *testing.T) {
	store := newOutageStore(t, newStore(t))
	store.mode.Store(fails)
	log := startLog(t, store)
	if got := log.gathered(t, "parley_chat_store_away"); got != 0 {
		t.Fatalf("away is %v before anything was tried", got)
	}
	awaitAway(t, log)
	_, err := log.Append(within(t), record("room", "ann", "1"))
	refusedAway(t, err)
	if got := log.gathered(t, "parley_chat_store_away"); got != 1 {
		t.Fatalf("away is %v", got)
	}
	if got := log.gathered(t, "parley_chat_refused_sends_total"); got != 2 {
		t.Fatalf("%v refused", got)
	}
}
