package client

import (
	"sync"
	"time"
)

// Stats are what a client has seen since Dial.
type Stats struct {
	Connects int64 // live connections, the first one included
	Lost     int64 // of which ended without being asked to

	Messages int64 // passed on
	Doubled  int64 // dropped, because they had been passed on or were held
	Early    int64 // held back until those before them had come
	Repairs  int64 // ranges fetched
	Fetched  int64 // messages that came by range, not by push

	Calls   int64 // tries of calls, sends among them
	Retries int64 // of which repeated one before

	// LongestOutage is the longest time without a live connection.
	LongestOutage time.Duration
}

// statistics counts Stats.
type statistics struct {
	mu    sync.Mutex
	s     Stats
	since time.Time // the connection was lost; zero while there is one
}

func (t *statistics) add(change func(*Stats)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change(&t.s)
}

// up and down note that a connection is live and that it was lost.
func (t *statistics) up(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.s.Connects++
	if !t.since.IsZero() {
		t.s.LongestOutage = max(t.s.LongestOutage, now.Sub(t.since))
		t.since = time.Time{}
	}
}

func (t *statistics) down(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.s.Lost++
	t.since = now
}

// read counts an outage that still lasts.
func (t *statistics) read(now time.Time) Stats {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.s
	if !t.since.IsZero() {
		s.LongestOutage = max(s.LongestOutage, now.Sub(t.since))
	}
	return s
}
