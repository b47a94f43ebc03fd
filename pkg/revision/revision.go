// Package revision is how a record is changed that others may change at the
// same time: load it, decide, and replace the revision that was loaded.
// Whoever was slower loads again.
package revision

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/parley-im/parley/pkg/fault"
)

// ErrConflict says that a record is not, or no longer, at the revision that a
// write was made for, or that another stands where a new one was to go.
// Nothing was written.
var ErrConflict = errors.New("record has another revision")

const (
	// maxTries is how often a change is tried. Fifty callers at once on one
	// record need about as many.
	maxTries = 100
	// firstPause doubles with each try up to lastPause, both jittered.
	firstPause = 2 * time.Millisecond
	lastPause  = 50 * time.Millisecond
)

// Retry runs change, which loads a record, decides, and saves it, again for
// as long as it returns ErrConflict; in the end that is Unavailable.
func Retry(ctx context.Context, change func() error) error {
	pause := firstPause
	for range maxTries {
		err := change()
		if !errors.Is(err, ErrConflict) {
			return err
		}
		timer := time.NewTimer(rand.N(pause) + time.Millisecond)
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
