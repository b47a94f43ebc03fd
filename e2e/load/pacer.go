package main

import (
	"context"
	"time"
)

// pacer is the clock of an open loop: turn i is due at start + i/rate, whether
// or not anything before it has an answer. Latencies count from there, so that
// what waits is seen to wait.
type pacer struct {
	rate  float64 // turns a second
	now   func() time.Duration
	sleep func(context.Context, time.Duration)
}

// run takes turns until ctx ends. After a pause of the machine it takes those
// that were missed at once, each with the time at which it was due.
func (p pacer) run(ctx context.Context, turn func(i int, due time.Duration)) {
	start := p.now()
	for i := 0; ctx.Err() == nil; {
		due := start + time.Duration(float64(i)*float64(time.Second)/p.rate)
		if wait := due - p.now(); wait > 0 {
			p.sleep(ctx, wait)
			continue // a sleep may end early
		}
		turn(i, due)
		i++
	}
}

// pace is a pacer by the run's clock.
func (r *run) pace(ctx context.Context, rate float64, turn func(i int, due time.Duration)) {
	pacer{rate: rate, now: r.now, sleep: sleep}.run(ctx, turn)
}
