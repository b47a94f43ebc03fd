package chat

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/clock/clocktest"
	"github.com/parley-im/parley/pkg/fault"
)

func TestEdgeStore(t *testing.T) {
	tails := func(ctx context.Context, s *edgeStore) error {
		_, err := s.Tails(ctx, []string{"room"})
		return err
	}
	// asking returns an edgeStore whose reads go wrong so, and its log.
	asking := func(t *testing.T, within time.Duration, onRead func(context.Context) error) (*edgeStore, *strings.Builder) {
		lines := &strings.Builder{}
		return newEdgeStore(&faulty{Store: newStore(t), onRead: onRead}, within, 2, slog.New(slog.NewTextHandler(lines, nil))), lines
	}

	t.Run("what_a_failure_is_told_as", func(t *testing.T) {
		for name, c := range map[string]struct {
			err  error
			want fault.Code
		}{
			"any error":           {errBroken, fault.Unavailable},
			"a store that told":   {fault.New(fault.Unavailable, "the store is busy"), fault.Unavailable},
			"a rule of the store": {fault.New(fault.NotFound, "nothing there"), fault.NotFound},
			"a mistake of ours":   {errors.Join(ErrUnreadable, errors.New("a text in the place of a number")), fault.Internal},
		} {
			s, lines := asking(t, time.Minute, func(context.Context) error { return c.err })
			f := fault.From(tails(within(t), s))
			if f == nil || f.Code != c.want || !errors.Is(f, c.err) {
				t.Errorf("%s: %v, want %s", name, f, c.want)
				continue
			}
			if away := c.want == fault.Unavailable; (f.RetryAfter > 0) != away || (lines.Len() > 0) != away {
				t.Errorf("%s: to be tried after %s, log %q", name, f.RetryAfter, lines)
			}
		}
	})

	t.Run("one_that_does_not_answer_in_time", func(t *testing.T) {
		stall := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		s, _ := asking(t, 10*time.Millisecond, stall)
		refusedAway(t, tails(within(t), s))

		s, _ = asking(t, time.Minute, stall)
		gone, leave := context.WithCancel(context.Background())
		leave()
		if err := tails(gone, s); !errors.Is(err, context.Canceled) || fault.From(err).RetryAfter != 0 {
			t.Fatalf("the caller left, and is told %v", err)
		}
	})

	t.Run("is_logged_once_a_second", func(t *testing.T) {
		s, lines := asking(t, time.Minute, func(context.Context) error { return errBroken })
		for range 10 {
			refusedAway(t, tails(within(t), s))
		}
		s.told.last = s.told.last.Add(-time.Second)
		refusedAway(t, tails(within(t), s))
		if got := lines.String(); !strings.Contains(got, "more=0") || strings.Count(got, "\n") > 3 {
			t.Fatalf("the log is\n%s", got)
		}
	})

	t.Run("few_wait_for_one_that_answers_nobody", func(t *testing.T) {
		gate := make(chan struct{})
		var entered atomic.Int64
		s, _ := asking(t, time.Minute, func(ctx context.Context) error {
			entered.Add(1)
			select {
			case <-gate:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		ask := func(int) (Receipt, error) { return Receipt{}, tails(within(t), s) }
		waiting := atOnce(5, ask)
		await(t, "all to wait: it has only just been asked", func() bool { return entered.Load() == 5 })
		s.heard.Add(-int64(awayAfter))
		if err := tails(within(t), s); !errors.Is(err, errStalled) {
			t.Fatal(err)
		}
		if entered.Load() != 5 {
			t.Fatal("the store was asked")
		}
		close(gate)
		for _, w := range waiting() {
			if w.err != nil {
				t.Fatal(w.err)
			}
		}
		// It answers, and is asked by any number.
		for _, w := range atOnce(20, ask)() {
			if w.err != nil {
				t.Fatal(w.err)
			}
		}
	})
}

// A store that goes away while positions are stored: those that were stored by
// then are told apart from the others.
func TestEdgeStore_MoveReads_of_a_store_that_goes_away(t *testing.T) {
	store := &leavingStore{Store: newStore(t)}
	s := newEdgeStore(store, time.Minute, 10, slog.New(slog.DiscardHandler))
	positions := []Position{position("a", 1), position("b", 1), position("c", 1), position("d", 1)}
	moved, failed := s.MoveReads(within(t), positions)
	if len(moved) != 2 || len(failed) != 2 || moved[0] != positions[0] || moved[1] != positions[1] {
		t.Fatalf("moved %+v, failed %v", moved, failed)
	}
	for _, p := range positions[2:] {
		refusedAway(t, failed[p])
	}
}

// leavingStore fails at all four, takes the first half, and is away from then on.
type leavingStore struct {
	Store
	calls int
}

func (s *leavingStore) SetReads(ctx context.Context, positions []Position) ([]Position, error) {
	switch s.calls++; s.calls {
	case 1:
		return nil, errDamaged
	case 2:
		return s.Store.SetReads(ctx, positions)
	}
	return nil, fault.New(fault.Unavailable, "the store does not answer")
}

// TestEdgeStore_patience_is_no_matter_of_the_time_of_day: when the machine's clock
// is set, the store has not been away since.
func TestEdgeStore_patience_is_no_matter_of_the_time_of_day(t *testing.T) {
	for _, forward := range []time.Duration{24 * time.Hour, -24 * time.Hour} {
		s := newEdgeStore(newStore(t), time.Minute, 1, slog.New(slog.DiscardHandler))
		now := time.Now()
		if !s.enter(now) || !s.enter(clocktest.Set(now, forward)) {
			t.Errorf("set by %s: refused at once", forward)
		}
		if s.enter(clocktest.Set(now.Add(2*awayAfter), forward)) {
			t.Errorf("set by %s: never refused", forward)
		}
	}
}
