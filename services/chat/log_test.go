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

func TestLog_Append(t *testing.T) {
	t.Run("numbers_publishes_and_then_answers", func(t *testing.T) {
		store := newStore(t)
		log := startLog(t, store)
		for seq := int64(1); seq <= 3; seq++ {
			sent := record("room", "ann", fmt.Sprint(seq))
			got := mustAppend(t, log, sent)
			if got.Seq != seq || got.ID != sent.ID || got.Duplicate {
				t.Fatalf("receipt is %+v", got)
			}
			if pushed := log.out.messages("room"); int64(len(pushed)) != seq || pushed[seq-1].ID != sent.ID || pushed[seq-1].SentAt != got.SentAt {
				t.Fatalf("published %+v", pushed)
			}
		}
		wantLog(t, store, "room", 3)
	})

	t.Run("one_insert_for_all_that_wait", func(t *testing.T) {
		store := &faulty{Store: newStore(t)}
		gate := make(chan struct{})
		store.onAppend = func(ctx context.Context, r []Record) (int, error) {
			<-gate
			return store.Store.Append(ctx, r)
		}
		log := startLog(t, store)
		const senders = 100
		sent := atOnce(senders, func(i int) (Receipt, error) {
			return log.Append(within(t), record(fmt.Sprint("room-", i%7), "ann", fmt.Sprint(i)))
		})
		await(t, "all to wait", func() bool { return len(log.committers[0].queue) >= senders-len(store.batches()[0]) })
		close(gate)
		for _, s := range sent() {
			if s.err != nil {
				t.Fatal(s.err)
			}
		}
		if n := len(store.batches()); n > 3 {
			t.Fatalf("%d inserts for %d sends at once", n, senders)
		}
	})

	t.Run("a_retry_gets_the_first_receipt", func(t *testing.T) {
		store := newStore(t)
		log := startLog(t, store)
		first := mustAppend(t, log, record("room", "ann", "c"))
		mustAppend(t, log, record("room", "ben", "c"))
		for name, l := range map[string]*testLog{"from memory": log, "from the store": startLog(t, store)} {
			again := mustAppend(t, l, record("room", "ann", "c"))
			if again.Seq != first.Seq || again.ID != first.ID || again.SentAt != first.SentAt || !again.Duplicate {
				t.Fatalf("%s: got %+v, want %+v", name, again, first)
			}
			await(t, "the head to be announced", func() bool { return l.out.head("room") == 2 })
			if n := len(l.out.messages("room")); l != log && n != 0 {
				t.Fatalf("%s: published %d messages", name, n)
			}
		}
		wantLog(t, store, "room", 2)
	})

	t.Run("a_client_id_with_other_content_is_refused", func(t *testing.T) {
		store := newStore(t)
		log := startLog(t, store)
		mustAppend(t, log, record("room", "ann", "c"))
		other := record("room", "ann", "c")
		other.Hash = hashOf(contract.MessageText, contract.Content{Text: "something else"})
		for name, l := range map[string]*testLog{"from memory": log, "from the store": startLog(t, store)} {
			if _, err := l.Append(within(t), other); !fault.Is(err, fault.AlreadyExists) {
				t.Fatalf("%s: %v", name, err)
			}
		}
		wantLog(t, store, "room", 1)
	})

	t.Run("the_same_send_100_times_at_once_on_two_replicas", func(t *testing.T) {
		file := newFile(t)
		stores := []Store{openFile(t, file), openFile(t, file)}
		logs := []*testLog{startLog(t, stores[0]), startLog(t, stores[1])}
		sent := atOnce(100, func(i int) (Receipt, error) {
			return logs[i%2].Append(within(t), record("room", "ann", "c"))
		})
		first := 0
		for _, s := range sent() {
			if s.err != nil || s.receipt.Seq != 1 {
				t.Fatalf("%+v, %v", s.receipt, s.err)
			}
			if !s.receipt.Duplicate {
				first++
			}
		}
		if first != 1 {
			t.Fatalf("%d sends were told to be the first", first)
		}
		wantLog(t, stores[0], "room", 1)
	})

	t.Run("second_writer_reloads", func(t *testing.T) {
		file := newFile(t)
		stores := []Store{openFile(t, file), openFile(t, file)}
		logs := []*testLog{startLog(t, stores[0]), startLog(t, stores[1])}
		const senders, each = 20, 10
		sent := atOnce(senders, func(i int) (r Receipt, err error) {
			for n := range each {
				if r, err = logs[i%2].Append(within(t), record("room", fmt.Sprint("w", i), fmt.Sprint(n))); err != nil {
					return r, err
				}
			}
			return r, nil
		})
		for _, s := range sent() {
			if s.err != nil {
				t.Fatal(s.err)
			}
		}
		next := make(map[string]int)
		for _, m := range wantLog(t, stores[0], "room", senders*each) {
			if m.ClientID != fmt.Sprint(next[m.SenderID]) {
				t.Fatalf("seq %d is %s of %s", m.Seq, m.ClientID, m.SenderID)
			}
			next[m.SenderID]++
		}
		for _, l := range logs {
			wantAscending(t, l.out.messages("room"))
		}
	})

	t.Run("rooms_out_of_memory_are_read_again", func(t *testing.T) {
		store := newStore(t)
		log := startLog(t, store, func(o *LogOptions) { o.ActiveRooms, o.RecentSends = 2, 2 })
		for seq := int64(1); seq <= 3; seq++ {
			for room := range 10 {
				if got := mustAppend(t, log, record(fmt.Sprint("room-", room), "ann", fmt.Sprint(seq))); got.Seq != seq {
					t.Fatalf("room %d: %+v", room, got)
				}
			}
		}
		if again := mustAppend(t, log, record("room-0", "ann", "1")); again.Seq != 1 || !again.Duplicate {
			t.Fatalf("%+v", again)
		}
		log.stop()
		if n := len(log.committers[0].rooms.byID); n > 2 {
			t.Fatalf("%d rooms are in memory", n)
		}
	})
}

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
			log := startLog(t, store, func(o *LogOptions) { o.StoreTimeout = 50 * time.Millisecond })
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
		gate := make(chan struct{})
		store.onAppend = func(ctx context.Context, r []Record) (int, error) {
			<-gate
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
		close(gate)
		if got := mustAppend(t, log, record("room", "ann", "c")); got.Seq != 1 || !got.Duplicate {
			t.Fatalf("%+v", got)
		}
		wantLog(t, store.Store, "room", 1)
	})

	t.Run("a_full_queue_is_told", func(t *testing.T) {
		store := &faulty{Store: newStore(t)}
		entered, gate := make(chan struct{}, 10), make(chan struct{})
		store.onAppend = func(ctx context.Context, r []Record) (int, error) {
			entered <- struct{}{}
			<-gate
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
		close(gate)
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
		entered, gate := make(chan struct{}), make(chan struct{})
		store.onAppend = func(ctx context.Context, r []Record) (int, error) {
			entered <- struct{}{}
			<-gate
			return store.Store.Append(ctx, r)
		}
		log := startLog(t, store)
		first := atOnce(1, func(int) (Receipt, error) { return log.Append(within(t), record("room", "ann", "1")) })
		<-entered
		second := atOnce(1, func(int) (Receipt, error) { return log.Append(within(t), record("room", "ann", "2")) })
		await(t, "the second to wait", func() bool { return len(log.committers[0].queue) == 1 })
		log.cancel()
		close(gate)
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
		log := NewLog(store, newRecorder(), testOptions(), telemetry.Discard(contract.Chat))
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

func mustAppend(t *testing.T, log *testLog, r Record) Receipt {
	t.Helper()
	got, err := log.Append(within(t), r)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// testLog is a Log that runs until the test ends, and what it announced.
type testLog struct {
	*Log
	out    *recorder
	cancel context.CancelFunc
	stop   func()
}

func testOptions() LogOptions {
	return LogOptions{
		Committers: 1, Queue: 1000, BatchDocs: 500, BatchBytes: 4 << 20,
		StoreTimeout: 5 * time.Second, SendTimeout: 20 * time.Second,
		ActiveRooms: 1000, RecentSends: 1000, QuietAfter: time.Minute, Now: time.Now,
	}
}

func startLog(t testing.TB, store Store, edit ...func(*LogOptions)) *testLog {
	t.Helper()
	o := testOptions()
	for _, f := range edit {
		f(&o)
	}
	out := newRecorder()
	l := &testLog{Log: NewLog(store, out, o, telemetry.Discard(contract.Chat)), out: out}
	var ctx context.Context
	ctx, l.cancel = context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }() // ends with ctx; stop waits
	l.stop = sync.OnceFunc(func() {
		l.cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(l.stop)
	return l
}

func wantAscending(t *testing.T, pushed []contract.Message) {
	t.Helper()
	for i := 1; i < len(pushed); i++ {
		if pushed[i].Seq <= pushed[i-1].Seq {
			t.Fatalf("seq %d was published after %d", pushed[i].Seq, pushed[i-1].Seq)
		}
	}
}

type outcome struct {
	receipt Receipt
	err     error
}

// atOnce starts n goroutines; what it returns waits for them.
func atOnce(n int, f func(i int) (Receipt, error)) (wait func() []outcome) {
	outcomes := make([]outcome, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { outcomes[i].receipt, outcomes[i].err = f(i) })
	}
	return func() []outcome {
		wg.Wait()
		return outcomes
	}
}
