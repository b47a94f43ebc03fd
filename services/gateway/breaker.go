package gateway

import (
	"sync"
	"time"
)

// breakerPause is how long nobody asks after a failure; then one caller tries.
const breakerPause = time.Second

// breaker keeps callers from waiting for something that does not answer.
type breaker struct {
	now func() time.Time

	mu     sync.Mutex
	broken bool
	next   time.Time // when broken: the next try
}

func newBreaker(now func() time.Time) *breaker { return &breaker{now: now} }

// allows reports whether the caller should try; who does must call saw or
// unknown.
func (b *breaker) allows() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.broken {
		return true
	}
	now := b.now()
	if now.Before(b.next) {
		return false
	}
	b.next = now.Add(breakerPause) // the others wait for this one's outcome
	return true
}

// saw notes an outcome and reports whether it changed the state.
func (b *breaker) saw(ok bool) (changed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	changed = b.broken == ok
	b.broken = !ok
	if !ok {
		b.next = b.now().Add(breakerPause)
	}
	return changed
}

// unknown notes that a try ended without an outcome: the next caller may try.
func (b *breaker) unknown() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.next = time.Time{}
}
