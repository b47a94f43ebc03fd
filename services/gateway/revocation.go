package gateway

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/parley-im/parley/pkg/contract"
)

// revokedGrace is how much longer than its tokens an ended session is
// remembered, for clocks that differ.
const revokedGrace = time.Minute

// revocations knows the sessions that have ended while access tokens of them
// still live. A revocation is for good, so that sets only ever grow together
// and lose what has run out.
type revocations struct {
	now func() time.Time

	mu        sync.RWMutex
	listed    bool // the list of auth has been read to its end
	until     map[string]time.Time
	listeners []func(sessionID string)
}

func newRevocations(now func() time.Time) *revocations {
	return &revocations{now: now, until: map[string]time.Time{}}
}

// Revoked reports whether the session has ended. Nothing is known before
// Listed.
func (r *revocations) Revoked(sessionID string) (ended, known bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	_, ended = r.until[sessionID]
	return ended, r.listed
}

// OnRevoked adds a function that is called once for each session that ends,
// on the goroutine that learned of it. It must not block.
func (r *revocations) OnRevoked(f func(sessionID string)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.listeners = append(r.listeners, f)
}

// Add notes that a session has ended, and when the last of its tokens will
// have run out.
func (r *revocations) Add(sessionID string, until time.Time) {
	until = until.Add(revokedGrace)
	r.mu.Lock()
	if !r.now().Before(until) {
		r.mu.Unlock()
		return
	}
	last, known := r.until[sessionID]
	if until.After(last) {
		r.until[sessionID] = until
	}
	listeners := r.listeners[:len(r.listeners):len(r.listeners)]
	r.mu.Unlock()
	if known {
		return
	}
	for _, f := range listeners {
		f(sessionID)
	}
}

// Merge adds a page of the list.
func (r *revocations) Merge(page []contract.RevokedSession) {
	for _, s := range page {
		r.Add(s.SessionID, s.Until.Time)
	}
}

// Listed notes that the list was read to its end, and forgets sessions whose
// tokens have run out.
func (r *revocations) Listed() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.listed = true
	now := r.now()
	for id, until := range r.until {
		if !now.Before(until) {
			delete(r.until, id)
		}
	}
}

// Ready is the readiness check "revocations".
func (r *revocations) Ready(context.Context) error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if !r.listed {
		return errors.New("the list of ended sessions has not been read")
	}
	return nil
}
