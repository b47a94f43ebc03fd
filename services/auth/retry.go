package auth

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/parley-im/parley/pkg/fault"
)

const (
	// maxTries is how often a change is tried on a record that others change
	// at the same time. Fifty at once of one refresh token need about as many.
	maxTries = 100
	// firstPause grows with each try up to lastPause, both jittered.
	firstPause = 2 * time.Millisecond
	lastPause  = 50 * time.Millisecond
)

// retry runs change, which loads a record, decides, and saves it under its
// revision, again for as long as someone else was faster.
func retry(ctx context.Context, change func() error) error {
	pause := firstPause
	for range maxTries {
		err := change()
		if !errors.Is(err, ErrConflict) {
			return err
		}
		timer := time.NewTimer(rand.N(pause) + time.Millisecond) //nolint:gosec // jitter is no secret
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
		pause = min(2*pause, lastPause)
	}
	return fault.New(fault.Unavailable, "too many changes at the same time").After(time.Second)
}
