package chat

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/parley-im/parley/pkg/fault"
)

// gate is an edgeStore's MoveReads whose writes wait until they are let through.
type gate struct {
	store Store      // real
	pass  chan error // one for each write: nil lets it through

	mu     sync.Mutex
	writes [][]Position // as they began
	told   []Position
}

func (g *gate) MoveReads(ctx context.Context, positions []Position) (moved []Position, failed map[Position]error) {
	g.mu.Lock()
	g.writes = append(g.writes, slices.Clone(positions))
	g.mu.Unlock()
	if err := <-g.pass; err != nil {
		failed = make(map[Position]error)
		for _, p := range positions {
			failed[p] = err
		}
		return nil, failed
	}
	return newEdgeStore(g.store, time.Minute, 10, slog.New(slog.DiscardHandler)).MoveReads(ctx, positions)
}

func (g *gate) Read(_ context.Context, p Position, _ int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.told = append(g.told, p)
}

func (g *gate) begun() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.writes)
}

// testReads are Reads that run until the test ends, over a gate.
type testReads struct {
	*Reads
	gate *gate
	stop func()
}

func startReads(t *testing.T, edit ...func(*ReadsOptions)) *testReads {
	t.Helper()
	o := ReadsOptions{Queue: 100, Timeout: 20 * time.Second, Known: 1000}
	for _, f := range edit {
		f(&o)
	}
	g := &gate{store: newStore(t), pass: make(chan error, 100)}
	r := &testReads{gate: g, Reads: NewReads(g.MoveReads, g, o, newReadsMetrics(prometheus.NewRegistry()))}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }() // ends with ctx; stop waits
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(func() {
		close(g.pass)
		r.stop()
	})
	return r
}

// set sets positions at once; what it returns waits for the outcomes.
func (r *testReads) set(t *testing.T, positions ...Position) (wait func() []error) {
	t.Helper()
	errs := make([]error, len(positions))
	var wg sync.WaitGroup
	for i, p := range positions {
		wg.Go(func() { errs[i] = r.Set(within(t), p, 0) })
	}
	return func() []error { wg.Wait(); return errs }
}

// waiting is how many calls wait for the next write.
func (r *testReads) waiting() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.next == nil {
		return 0
	}
	return r.next.calls
}

func position(user string, seq int64) Position {
	return Position{UserID: user, RoomID: "room", Seq: seq}
}

// hold has a first write begin, and returns what lets it through.
func (r *testReads) hold(t *testing.T) (release func(error)) {
	t.Helper()
	wait := r.set(t, position("first", 1))
	await(t, "a write", func() bool { return r.gate.begun() == 1 })
	return func(err error) {
		t.Helper()
		r.gate.pass <- err
		if got := wait()[0]; (got != nil) != (err != nil) {
			t.Fatalf("the first call: %v", got)
		}
	}
}

func TestReads_Set(t *testing.T) {
	t.Run("what_waits_goes_out_together", func(t *testing.T) {
		r := startReads(t)
		release := r.hold(t)
		var positions []Position
		for i := range 30 {
			user := fmt.Sprint("user-", i%10) // each three times, the furthest is 20 and more
			positions = append(positions, position(user, int64(i)+1))
		}
		var waits []func() []error
		for i := range positions { // the furthest comes first
			waits = append(waits, r.set(t, positions[len(positions)-1-i]))
			await(t, "it to wait", func() bool { return r.waiting() == i+1 })
		}
		release(nil)
		r.gate.pass <- nil
		for _, wait := range waits {
			if err := wait()[0]; err != nil {
				t.Error(err)
			}
		}
		if n := r.gate.begun(); n != 2 || len(r.gate.writes[1]) != 10 {
			t.Fatalf("%d writes, the last of %d positions", n, len(r.gate.writes[n-1]))
		}
		for _, p := range r.gate.writes[1] {
			if p.Seq <= 20 {
				t.Errorf("%+v was written", p)
			}
			heads, err := r.gate.store.Heads(within(t), UserRooms{p.UserID, []string{"room"}})
			if err != nil || heads[0]["room"].ReadSeq != p.Seq {
				t.Errorf("%+v is stored as %+v, %v", p, heads[0]["room"], err)
			}
		}
		if len(r.gate.told) != 11 {
			t.Errorf("%d positions were told of", len(r.gate.told))
		}
	})

	t.Run("what_is_known_needs_no_write", func(t *testing.T) {
		r := startReads(t)
		r.hold(t)(nil)
		if !r.Knows(position("first", 1)) || r.Knows(position("first", 2)) || r.Knows(position("second", 1)) {
			t.Error("knows something else than what was written")
		}
	})

	t.Run("a_write_that_fails_is_told_to_all_and_not_remembered", func(t *testing.T) {
		r := startReads(t)
		release := r.hold(t)
		wait := r.set(t, position("a", 1), position("b", 1))
		await(t, "both to wait", func() bool { return r.waiting() == 2 })
		release(errBroken)
		r.gate.pass <- fault.New(fault.Unavailable, "the store is busy")
		for _, err := range wait() {
			if f := fault.From(err); f.Code != fault.Unavailable || f.RetryAfter == 0 {
				t.Errorf("told %v", err)
			}
		}
		if r.Knows(position("first", 1)) || r.Knows(position("a", 1)) || len(r.gate.told) != 0 {
			t.Error("what was not written is known, or told of")
		}
		r.gate.pass <- nil
		if err := r.Set(within(t), position("a", 1), 0); err != nil {
			t.Errorf("set again: %v", err)
		}
	})

	for name, partly := range map[string]bool{"none_of_its_batch": false, "the_others_of_its_batch": true} {
		t.Run("of_a_damaged_room_fails_alone_when_the_store_keeps_"+name, func(t *testing.T) {
			r := startReads(t)
			store := damaged(t, "bad")
			store.partly = partly
			r.gate.store = store
			release := r.hold(t)
			positions := []Position{{UserID: "ann", RoomID: "bad", Seq: 1}}
			for i := range 30 {
				positions = append(positions, position(fmt.Sprint("user-", i), 1))
			}
			wait := r.set(t, positions...)
			await(t, "all to wait", func() bool { return r.waiting() == len(positions) })
			release(nil)
			r.gate.pass <- nil
			for i, err := range wait() {
				if bad := i == 0; bad != fault.Is(err, fault.Unavailable) || bad == r.Knows(positions[i]) || !bad && err != nil {
					t.Errorf("%+v: %v, known: %v", positions[i], err, r.Knows(positions[i]))
				}
			}
			if n := len(r.gate.told); n != 31 {
				t.Errorf("%d positions were told of, not each of 31 once", n)
			}
		})
	}

	t.Run("one_too_many_is_refused", func(t *testing.T) {
		r := startReads(t, func(o *ReadsOptions) { o.Queue = 2 })
		release := r.hold(t)
		wait := r.set(t, position("a", 1), position("b", 1))
		await(t, "both to wait", func() bool { return r.waiting() == 2 })
		if err := r.Set(within(t), position("c", 1), 0); !errors.Is(err, errReadsOverloaded) {
			t.Errorf("told %v", err)
		}
		release(nil)
		r.gate.pass <- nil
		if errs := wait(); errors.Join(errs...) != nil {
			t.Error(errs)
		}
	})

	t.Run("nobody_lines_up_behind_a_write_that_stalls", func(t *testing.T) {
		r := startReads(t)
		release := r.hold(t)
		await(t, "a refusal", func() bool {
			ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
			defer cancel()
			err := r.Set(ctx, position("a", 1), 0)
			return errors.Is(err, errStalled) && fault.From(err).RetryAfter > 0
		})
		release(nil)
	})

	t.Run("who_leaves_is_written_for_nevertheless", func(t *testing.T) {
		r := startReads(t)
		release := r.hold(t)
		ctx, leave := context.WithCancel(context.Background())
		left := make(chan error, 1)
		go func() { left <- r.Set(ctx, position("a", 1), 0) }() // ends by leave
		await(t, "it to wait", func() bool { return r.waiting() == 1 })
		leave()
		if err := <-left; !fault.Is(err, fault.Unavailable) {
			t.Errorf("told %v", err)
		}
		release(nil)
		r.gate.pass <- nil
		await(t, "it to be written", func() bool { return r.Knows(position("a", 1)) })
	})
}

func TestReads_Run_answers_what_is_in_hand(t *testing.T) {
	r := startReads(t)
	release := r.hold(t)
	wait := r.set(t, position("a", 1), position("b", 2))
	await(t, "both to wait", func() bool { return r.waiting() == 2 })
	stopped := make(chan struct{})
	go func() { r.stop(); close(stopped) }() // ends with Run
	release(nil)
	r.gate.pass <- nil
	if errs := wait(); errors.Join(errs...) != nil {
		t.Errorf("in hand when it stopped: %v", errs)
	}
	<-stopped
	if err := r.Set(within(t), position("c", 1), 0); !errors.Is(err, errStopping) {
		t.Errorf("after it stopped: %v", err)
	}
}

func TestKnownReads_are_bounded(t *testing.T) {
	k := knownReads{limit: 10}
	for i := range int64(1000) {
		k.note(position("often", 0).key(), i)
		k.note(position(fmt.Sprint("user-", i), 0).key(), i)
		if n := len(k.young) + len(k.old); n > k.limit {
			t.Fatalf("%d are kept", n)
		}
		if got := k.reached(position("often", 0).key()); got != i {
			t.Fatalf("%d is known of who is asked for all the time, want %d", got, i)
		}
	}
	k.note(position("often", 0).key(), 3)
	if got := k.reached(position("often", 0).key()); got != 999 {
		t.Errorf("moved back to %d", got)
	}
	if k.reached(position("user-1", 0).key()) != 0 || k.reached(position("user-999", 0).key()) != 999 {
		t.Error("the oldest are kept, or the latest forgotten")
	}
	var none knownReads
	none.note(position("often", 0).key(), 3)
	if none.reached(position("often", 0).key()) != 0 {
		t.Error("remembers without a limit")
	}
}
