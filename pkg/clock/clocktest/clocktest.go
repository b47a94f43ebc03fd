// Package clocktest sets clocks, for tests.
package clocktest

import (
	"time"
	"unsafe"
)

// reading is how package time keeps a reading of the clock that has a monotonic
// part: https://go.dev/src/time/time.go.
type reading struct {
	wall uint64 // one bit, 33 of seconds, 30 of nanoseconds
	_    int64  // the monotonic part
}

// Set returns what [time.Now] would have returned in the place of t if somebody
// had set the machine's clock forward, by whole seconds: the time of day moves,
// and the monotonic part stays. Backward with a negative duration. It panics if t
// has no monotonic part.
func Set(t time.Time, forward time.Duration) time.Time {
	forward = forward.Truncate(time.Second)
	set := t
	// There is no other way: the result is checked below.
	(*reading)(unsafe.Pointer(&set)).wall += uint64(forward/time.Second) << 30
	if set.Sub(t) != 0 || set.Round(0).Sub(t.Round(0)) != forward {
		panic("clocktest: not a reading of the clock, or package time keeps them in another way")
	}
	return set
}
