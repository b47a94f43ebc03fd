package main

import (
	"context"
	"testing"
	"time"
)

// TestPacer has a machine that stands still for a second in the third turn.
func TestPacer(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	now := 5 * time.Second
	p := pacer{
		rate:  10,
		now:   func() time.Duration { return now },
		sleep: func(_ context.Context, d time.Duration) { now += max(d/2, 1) }, // wakes early
	}
	var late []time.Duration
	p.run(ctx, func(i int, due time.Duration) {
		if want := 5*time.Second + time.Duration(i)*100*time.Millisecond; due != want {
			t.Errorf("turn %d was due at %v, want %v", i, due, want)
		}
		if now < due {
			t.Errorf("turn %d came before it was due", i)
		}
		late = append(late, now-due)
		if i == 2 {
			now += time.Second
		}
		if i == 14 {
			cancel()
		}
	})
	if len(late) != 15 {
		t.Fatalf("%d turns", len(late))
	}
	if late[1] > time.Millisecond || late[3] != 900*time.Millisecond || late[11] != 100*time.Millisecond || late[14] > time.Millisecond {
		t.Errorf("the pause was hidden: %v", late)
	}
}
