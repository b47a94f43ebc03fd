package chat

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/id"
	"github.com/parley-im/parley/pkg/telemetry"
)

func TestLog_Append_when_the_store_fails(t *testing.T) {
	errLost := errors.New("connection lost")
	var late sync.WaitGroup
	// Each case says what becomes of the first insert.
	for name, first := range map[string]func(s Store, ctx context.Context, r []Record) (int, error){
		"the_insert_is_stored_but_not_confirmed": func(s Store, ctx context.Context, r []Record) (int, error) {
			_, err := s.Append(ctx, r)
			return 0, errors.Join(errLost, err)
		},
		"the_insert_is_stored_in_part": func(s Store, ctx context.Context, r []Record) (int, error) {
			_, err := s.Append(ctx, r[:len(r)/2])
			return 0, errors.Join(errLost, err)
		},
		"the_insert_fails": func(Store, context.Context, []Record) (int, error) { return 0, errLost },
		"the_insert_stalls": func(_ Store, ctx context.Context, _ []Record) (int, error) {
			<-ctx.Done()
			return 0, ctx.Err()
		},
		"the_insert_comes_late": func(s Store, ctx context.Context, r []Record) (int, error) {
			late.Go(func() {
				<-time.After(3 * time.Millisecond)
				_, _ = s.Append(context.WithoutCancel(ctx), r)
			})
			return 0, errLost
		},
	} {
		t.Run(name, func(t *testing.T) {
			store := &faulty{Store: newStore(t)}
			var once sync.Once
			store.onAppend = func(ctx context.Context, r []Record) (stored int, err error) {
				err = errLost
				ran := false
				once.Do(func() { ran = true; stored, err = first(store.Store, ctx, r) })
				if ran {
					return stored, err
				}
				return store.Store.Append(ctx, r)
			}
			log := startLog(t, store, func(o *LogOptions) {
				if name == "the_insert_stalls" { // the others must not fail because a machine is slow
					o.StoreTimeout = 500 * time.Millisecond
				}
			})
			const senders = 40
			sent := atOnce(senders, func(i int) (Receipt, error) {
				return log.Append(within(t), record(fmt.Sprint("room-", i%2), "ann", fmt.Sprint(i)))
			})
			for _, s := range sent() {
				if s.err != nil || s.receipt.Duplicate {
					t.Fatalf("%+v, %v", s.receipt, s.err)
				}
			}
			late.Wait()
			for _, room := range []string{"room-0", "room-1"} {
				wantLog(t, store.Store, room, senders/2)
				wantAscending(t, log.out.messages(room))
				// Whoever missed a message that was never published learns of it.
				await(t, "the head to be known", func() bool { return log.out.known(room) == senders/2 })
			}
		})
	}

	t.Run("a_caller_who_left_may_retry", func(t *testing.T) {
		store := &faulty{Store: newStore(t)}
		pass, open := newGate(t)
		store.onAppend = func(ctx context.Context, r []Record) (int, error) {
			pass()
			return store.Store.Append(ctx, r)
		}
		log := startLog(t, store)
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
		defer cancel()
		if _, err := log.Append(ctx, record("room", "ann", "c")); !fault.Is(err, fault.DeadlineExceeded) {
			t.Fatal(err)
		}
		gone, leave := context.WithCancel(context.Background())
		leave()
		if _, err := log.Append(gone, record("room", "ben", "c")); !fault.Is(err, fault.Unavailable) {
			t.Fatal(err)
		}
		open()
		if got := mustAppend(t, log, record("room", "ann", "c")); got.Seq != 1 || !got.Duplicate {
			t.Fatalf("%+v", got)
		}
		wantLog(t, store.Store, "room", 1)
	})

	t.Run("a_full_queue_is_told", func(t *testing.T) {
		store := &faulty{Store: newStore(t)}
		entered := make(chan struct{}, 10)
		pass, open := newGate(t)
		store.onAppend = func(ctx context.Context, r []Record) (int, error) {
			entered <- struct{}{}
			pass()
			return store.Store.Append(ctx, r)
		}
		log := startLog(t, store, func(o *LogOptions) { o.Queue, o.BatchDocs = 2, 1 })
		send := func(int) (Receipt, error) { return log.Append(within(t), record("room", "ann", id.New())) }
		first := atOnce(1, send)
		<-entered
		waiting := atOnce(2, send)
		await(t, "the queue to be full", func() bool { return len(log.committers[0].queue) == 2 })
		_, err := send(0)
		if !fault.Is(err, fault.Unavailable) || fault.From(err).RetryAfter == 0 {
			t.Fatal(err)
		}
		open()
		for _, s := range append(first(), waiting()...) {
			if s.err != nil {
				t.Fatal(s.err)
			}
		}
	})
}

func TestLog_Run(t *testing.T) {
	t.Run("finishes_what_is_in_flight_and_refuses_the_rest", func(t *testing.T) {
		store := &faulty{Store: newStore(t)}
		entered := make(chan struct{})
		pass, open := newGate(t)
		store.onAppend = func(ctx context.Context, r []Record) (int, error) {
			entered <- struct{}{}
			pass()
			return store.Store.Append(ctx, r)
		}
		log := startLog(t, store)
		first := atOnce(1, func(int) (Receipt, error) { return log.Append(within(t), record("room", "ann", "1")) })
		<-entered
		second := atOnce(1, func(int) (Receipt, error) { return log.Append(within(t), record("room", "ann", "2")) })
		await(t, "the second to wait", func() bool { return len(log.committers[0].queue) == 1 })
		log.cancel()
		open()
		if s := first()[0]; s.err != nil || s.receipt.Seq != 1 {
			t.Fatalf("%+v, %v", s.receipt, s.err)
		}
		if s := second()[0]; !fault.Is(s.err, fault.Unavailable) {
			t.Fatalf("%+v, %v", s.receipt, s.err)
		}
		log.stop()
		if _, err := log.Append(within(t), record("room", "ann", "3")); !fault.Is(err, fault.Unavailable) {
			t.Fatal(err)
		}
		if log.out.head("room") != 1 {
			t.Fatal("the head that was owed was not announced")
		}
		wantLog(t, store.Store, "room", 1)
	})

	t.Run("ends_with_a_panic", func(t *testing.T) {
		store := &faulty{Store: newStore(t), onAppend: func(context.Context, []Record) (int, error) { panic("boom") }}
		log := NewLog(store, NewMemory(MemoryOptions{}), newRecorder(), testOptions(), telemetry.Discard(contract.Chat))
		done := make(chan error, 1)
		go func() { done <- log.Run(within(t)) }() // ends with the panic
		if _, err := log.Append(within(t), record("room", "ann", "c")); !fault.Is(err, fault.Unavailable) {
			t.Fatal(err)
		}
		if err := <-done; err == nil {
			t.Fatal("Run returned nil")
		}
	})

	t.Run("announces_the_head_of_a_room_once_it_is_quiet", func(t *testing.T) {
		log := startLog(t, newStore(t), func(o *LogOptions) { o.QuietAfter = 30 * time.Millisecond })
		for i := range 3 {
			mustAppend(t, log, record("a", "ann", fmt.Sprint(i)))
			mustAppend(t, log, record("b", "ann", fmt.Sprint(i)))
		}
		await(t, "both heads", func() bool { return log.out.head("a") == 3 && log.out.head("b") == 3 })
		mustAppend(t, log, record("a", "ann", "3"))
		await(t, "the next head", func() bool { return log.out.head("a") == 4 })
		if a, b := log.out.heads("a"), log.out.heads("b"); len(a) > 5 || len(b) > 4 {
			t.Fatalf("announced %v and %v", a, b)
		}
	})
}
