package probe

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

func TestWrites_Check(t *testing.T) {
	broken := errors.New("broken")
	var w Writes
	tries := 0
	check := func(ctx context.Context, outcome error) error {
		return w.Check(ctx, func(context.Context) error { tries++; return outcome })
	}
	want := func(when string, got, want error, wantTries int) {
		t.Helper()
		if !errors.Is(got, want) || tries != wantTries {
			t.Errorf("%s: got %v after %d tries, want %v after %d", when, got, tries, want, wantTries)
		}
	}
	left, cancel := context.WithCancel(t.Context())
	cancel()

	want("first", check(t.Context(), nil), nil, 1)
	want("a success counts for a while", check(t.Context(), broken), nil, 1)
	w.Forget()
	want("then it is tried again", check(t.Context(), broken), broken, 2)
	want("a caller who left proves nothing", check(left, context.Canceled), broken, 3)
	want("nor do others who write", check(t.Context(), fmt.Errorf("locked: %w", ErrBusy)), broken, 4)
	want("after a failure each call tries", check(t.Context(), nil), nil, 5)
	want("healed", check(t.Context(), broken), nil, 5)
}

// A store that hangs is asked by one caller only.
func TestWrites_Check_by_one_at_a_time(t *testing.T) {
	var w Writes
	err := w.Check(t.Context(), func(ctx context.Context) error {
		return w.Check(ctx, func(context.Context) error { return errors.New("a second one tried") })
	})
	if err != nil {
		t.Error(err)
	}
}
