package client

import (
	"context"
	"math/rand/v2"
	"time"
)

// firstBackoff bounds the pause after the first failure; it doubles.
const firstBackoff = 100 * time.Millisecond

// backoff counts failures in a row and says how long to pause after each: a
// random time up to a bound that doubles, so that clients who failed together
// do not come back together.
type backoff struct {
	most     time.Duration
	failures int
}

// next is the pause after one more failure, and at least the time asked for.
func (b *backoff) next(atLeast time.Duration) time.Duration {
	bound := min(firstBackoff<<min(b.failures, 16), b.most)
	b.failures++
	return atLeast + rand.N(bound)
}

// reset forgets the failures.
func (b *backoff) reset() { b.failures = 0 }

// sleep waits for d, or returns why ctx ended.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
