package gateway

import (
	"context"
	"sync"
	"time"
)

const (
	// leaseTime is how long tokens that were taken may be spent: long enough
	// that someone who sends every few seconds asks once for several. What is
	// left is lost. By then the bucket is full again, so that a gateway which
	// holds a lease lets pass a twentieth more than a full bucket, at most.
	leaseTime = 10 * time.Second
	// leaseSweep is how often leases that nobody uses are forgotten.
	leaseSweep = 10 * time.Second
)

// lease is what a gateway holds of one key's bucket: tokens that it may
// spend, or the knowledge that there are none.
type lease struct {
	now func() time.Time

	mu     sync.Mutex // held while tokens are asked for: one question a key
	tokens int
	until  time.Time // the tokens can be spent
	refuse time.Time // until then there are none
	used   time.Time
}

// spend takes one token, asking for more when there are none.
func (l *lease) spend(ask func() (int, time.Duration, error)) (taken int, wait time.Duration, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	l.used = now
	if l.tokens > 0 && now.Before(l.until) {
		l.tokens--
		return 1, 0, nil
	}
	if now.Before(l.refuse) {
		return 0, l.refuse.Sub(now), nil
	}
	taken, wait, err = ask()
	if err != nil {
		return 0, 0, err
	}
	now = l.now()
	if taken == 0 {
		l.tokens, l.refuse = 0, now.Add(wait)
		return 0, wait, nil
	}
	l.tokens, l.until = taken-1, now.Add(leaseTime)
	return 1, 0, nil
}

// leases holds the lease of each key that called in the last seconds.
type leases struct {
	now func() time.Time

	mu    sync.Mutex
	byKey map[leaseKey]*lease
}

type leaseKey struct{ bucket, key string }

func newLeases(now func() time.Time) *leases {
	return &leases{now: now, byKey: map[leaseKey]*lease{}}
}

func (ls *leases) of(bucket, key string) *lease {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	k := leaseKey{bucket, key}
	l, ok := ls.byKey[k]
	if !ok {
		l = &lease{now: ls.now, used: ls.now()}
		ls.byKey[k] = l
	}
	return l
}

// Run forgets leases that nobody uses until ctx ends. A caller that still
// holds a forgotten one loses at most its tokens.
func (ls *leases) Run(ctx context.Context) error {
	tick := time.NewTicker(leaseSweep)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			ls.sweep()
		}
	}
}

func (ls *leases) sweep() {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	for k, l := range ls.byKey {
		if !l.mu.TryLock() {
			continue // in use
		}
		if ls.now().Sub(l.used) > leaseSweep {
			delete(ls.byKey, k)
		}
		l.mu.Unlock()
	}
}
