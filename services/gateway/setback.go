package gateway

import (
	"math/rand/v2"
	"sync"
	"time"
)

const (
	// While readings fail, the pause between two grows from the first to the
	// last of these: whoever is away is not hammered, and is found soon when
	// it is back.
	firstPause = 100 * time.Millisecond
	lastPause  = 2 * time.Second
	// A user whose reading failed is asked for again after a pause of their
	// own, so that one whom it always fails for does not slow the others.
	firstRetry = time.Second
	lastRetry  = 30 * time.Second
	// setbackLog is how often the log may say that readings fail.
	setbackLog = time.Minute
)

// setback is a user whose last readings failed.
type setback struct {
	inRow int
	again *time.Timer // asks for the user again
}

// setbacks keeps account of readings that failed.
type setbacks struct {
	now func() time.Time

	mu     sync.Mutex
	inRow  int       // failures since the last success
	resume time.Time // nothing is read before that
	users  map[string]setback
	logged time.Time
	silent int // failures that the log was not told of
}

func newSetbacks(now func() time.Time) *setbacks {
	return &setbacks{now: now, users: map[string]setback{}}
}

// failed notes a failure and has again called after a pause, unless the user
// succeeds or leaves before. When the log should hear of it, it returns how
// many failures it has not been told of, this one included; else 0.
func (s *setbacks) failed(userID string, again func()) (tell int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	s.inRow++
	s.resume = now.Add(growing(firstPause, lastPause, s.inRow))
	s.silent++
	if s.logged.IsZero() || now.Sub(s.logged) >= setbackLog {
		tell, s.silent, s.logged = s.silent, 0, now
	}
	inRow := s.users[userID].inRow + 1
	s.forget(userID)
	s.users[userID] = setback{inRow: inRow, again: time.AfterFunc(growing(firstRetry, lastRetry, inRow), again)}
	return tell
}

// succeeded notes a success.
func (s *setbacks) succeeded(userID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inRow, s.resume = 0, time.Time{}
	s.forget(userID)
}

// gone forgets a user who has left.
func (s *setbacks) gone(userID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(userID)
}

func (s *setbacks) forget(userID string) {
	if u, ok := s.users[userID]; ok {
		u.again.Stop()
		delete(s.users, userID)
	}
}

// pause is how long to wait before anything is read; 0 while all is well.
func (s *setbacks) pause() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.resume.IsZero() {
		return 0
	}
	return max(0, s.resume.Sub(s.now()))
}

// growing is the nth pause: each twice the one before up to the last, and of
// that a random half to whole, so that gateways that failed together do not
// come back together.
func growing(first, last time.Duration, n int) time.Duration {
	pause := last
	if n < 16 {
		pause = min(first<<(n-1), last)
	}
	return pause/2 + rand.N(pause/2)
}
