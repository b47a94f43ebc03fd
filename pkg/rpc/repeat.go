package rpc

import (
	"sync/atomic"
	"time"
)

const (
	// repeatAfter is how long an answer to a repeatable method may take before
	// the request is sent again: one of them may be lost, with a replica that
	// died or a server of NATS. Each further wait is twice the one before.
	repeatAfter = time.Second
	// repeatBurst is how many requests a client may send again at once;
	// repeatShare calls that are answered allow one more.
	repeatBurst = 100
	repeatShare = 10
)

// repeats bounds how many requests are sent again that may have been run. A
// service that is slow because it has too much to do would else get all of it
// twice.
type repeats struct {
	left atomic.Int64 // in parts of a repeat, repeatShare to each
}

func (r *repeats) fill() { r.left.Store(repeatBurst * repeatShare) }

// answered earns a part.
func (r *repeats) answered() {
	if r.left.Load() < repeatBurst*repeatShare {
		r.left.Add(1)
	}
}

// take reports whether one more is allowed.
func (r *repeats) take() bool {
	if r.left.Add(-repeatShare) >= 0 {
		return true
	}
	r.left.Add(repeatShare)
	return false
}
