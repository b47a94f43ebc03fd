package clock

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/clock/clocktest"
)

// source is a store's clock, a time ahead of the machine's.
type source struct {
	ahead time.Duration
	none  bool
	err   error
}

func (s *source) Now(context.Context) (time.Time, error) {
	if s.none || s.err != nil {
		return time.Time{}, s.err
	}
	return time.Now().Add(s.ahead), nil
}

func near(got, want time.Time) bool { return got.Sub(want).Abs() < 30*time.Second }

func TestClock_takes_the_stores_time(t *testing.T) {
	for name, c := range map[string]struct {
		ahead   time.Duration
		trusted bool
	}{
		"agree":      {0, true},
		"a little":   {20 * time.Second, true},
		"own behind": {time.Hour, false},
		"own ahead":  {-time.Hour, false},
	} {
		t.Run(name, func(t *testing.T) {
			clock := New(&source{ahead: c.ahead}, time.Now)
			if !near(clock.Now(), time.Now()) {
				t.Errorf("before a measurement it is %s", clock.Now())
			}
			now, err := clock.Trusted(t.Context())
			if c.trusted != (err == nil) || err != nil && !errors.Is(err, ErrSkewed) {
				t.Fatalf("got %v", err)
			}
			if want := time.Now().Add(c.ahead); err == nil && !near(now, want) || !near(clock.Now(), want) {
				t.Errorf("trusted %s, stamps %s, want %s", now, clock.Now(), want)
			}
		})
	}
}

func TestClock_Stamp(t *testing.T) {
	for name, c := range map[string]struct {
		store source
		jump  time.Duration
		sure  bool
	}{
		"no clock but the machine's":         {source{none: true}, 0, true},
		"which jumped":                       {source{none: true}, -3 * time.Hour, false},
		"the store's":                        {source{}, 0, true},
		"the store's, though ours is behind": {source{}, -3 * time.Hour, true},
	} {
		t.Run(name, func(t *testing.T) {
			var jump time.Duration
			clock := New(&c.store, func() time.Time { return clocktest.Set(time.Now(), jump) })
			if err := clock.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
			jump = c.jump
			now, sure := clock.Stamp()
			if sure != c.sure || sure && !near(now, time.Now()) {
				t.Errorf("got %s, %t", now, sure)
			}
			jump = 0
			if _, sure := clock.Stamp(); !sure {
				t.Error("not sure, though the clock is right again")
			}
		})
	}
}

// The machine's clock jumps after the measurement: stamps do not.
func TestClock_Now_does_not_jump(t *testing.T) {
	var jump time.Duration
	clock := New(&source{}, func() time.Time { return time.Now().Add(jump) })
	if err := clock.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	jump = 24 * time.Hour
	if !near(clock.Now(), time.Now()) {
		t.Errorf("it jumped to %s", clock.Now())
	}
	if err := clock.Check(t.Context()); !errors.Is(err, ErrSkewed) {
		t.Errorf("got %v", err)
	}
}

func TestClock_of_a_store_that_does_not_answer(t *testing.T) {
	away := errors.New("away")
	clock := New(&source{err: away}, time.Now)
	if _, err := clock.Trusted(t.Context()); !errors.Is(err, away) || errors.Is(err, ErrSkewed) {
		t.Errorf("got %v", err)
	}
	if !near(clock.Now(), time.Now()) {
		t.Errorf("it is %s", clock.Now())
	}
}

// A store without a clock: jumps of the machine's are noticed, and settle.
func TestClock_jumps(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var passed, jump time.Duration
	clock := New(&source{none: true}, func() time.Time { return start.Add(passed + jump) })
	clock.drift = func(from, to time.Time) time.Duration { return to.Sub(from) - passed }
	for i, step := range []struct {
		passed, jump time.Duration
		trusted      bool
	}{
		{0, 0, true},
		{time.Hour, 30 * time.Second, true}, // slewed
		{2 * time.Hour, 24 * time.Hour, false},
		{2*time.Hour + 59*time.Minute, 24 * time.Hour, false},
		{2*time.Hour + 59*time.Minute, 0, true}, // and back
		{3 * time.Hour, -2 * time.Hour, false},
		{3*time.Hour + 30*time.Minute, -4 * time.Hour, false}, // another
		{4 * time.Hour, -4 * time.Hour, false},
		{4*time.Hour + 30*time.Minute, -4 * time.Hour, true}, // settled
	} {
		passed, jump = step.passed, step.jump
		now, err := clock.Trusted(t.Context())
		if step.trusted != (err == nil) || err != nil && !errors.Is(err, ErrSkewed) {
			t.Errorf("step %d: %v", i, err)
		}
		if want := start.Add(passed + jump); err == nil && !now.Equal(want) || !clock.Now().Equal(want) {
			t.Errorf("step %d: trusted %s, stamps %s, want %s", i, now, clock.Now(), want)
		}
	}
}

func TestClock_a_clock_that_a_test_sets_does_not_jump(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	clock := New(&source{none: true}, func() time.Time { return now })
	now = now.Add(1000 * time.Hour)
	if got, err := clock.Trusted(t.Context()); err != nil || !got.Equal(now) {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestClock_logs_changes_once(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	s := &source{ahead: time.Hour}
	clock := New(s, time.Now)
	skewed := false
	for _, step := range []source{{ahead: time.Hour}, {ahead: time.Hour}, {err: errors.New("away")}, {}, {}} {
		*s = step
		skewed = clock.measure(t.Context(), log, skewed)
	}
	if got := out.String(); strings.Count(got, "\n") != 2 || !strings.Contains(got, "1h0m0s behind the store's") || !strings.Contains(got, "agree again") {
		t.Errorf("it logged:\n%s", got)
	}
}

func TestBelievable(t *testing.T) {
	now := time.Now()
	if !Believable(now.Add(-time.Hour), now) || !Believable(now.Add(MaxSkew), now) || Believable(now.Add(MaxSkew+1), now) {
		t.Error("a time is wrongly judged")
	}
}

// TestJumps notices a clock that is set, and set back, once each.
func TestJumps(t *testing.T) {
	var jump time.Duration
	jumps := NewJumps(func() time.Time { return clocktest.Set(time.Now(), jump) })
	for i, step := range []struct {
		jump time.Duration
		want bool
	}{{0, false}, {time.Hour, true}, {time.Hour, false}, {time.Hour + 40*time.Second, false}, {0, true}, {0, false}} {
		jump = step.jump
		if got := jumps.Noticed(); got != step.want {
			t.Errorf("step %d: noticed %v", i, got)
		}
	}
}
