package main

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Latencies are kept in microseconds with three digits, up to a minute.
const (
	longestLatency = int64(time.Minute / time.Microsecond)
	latencyDigits  = 3
	// stripes keep devices out of each other's way: each has its own counts,
	// which are put together at the end.
	stripes = 16
)

// meter counts what happens. Rates count what happened within the window,
// latencies are of what was due within it; totals count everything.
type meter struct {
	from, to atomic.Int64 // the window, by the run's clock
	stripes  [stripes]stripe

	mu     sync.Mutex
	errors map[string]int // by code
}

// stripe is a part of the counts. Histograms are made when first used.
type stripe struct {
	mu sync.Mutex
	counts
	ack, deliver, connect, caughtUp *hdrhistogram.Histogram
	_                               [64]byte // a cache line, not shared with the next
}

// counts are what a run adds up to.
type counts struct {
	Sends, Deliveries           int64 // within the window
	AllSends, AllDeliveries     int64
	Doubled, Repaired, Connects int64
}

func newMeter() *meter {
	m := &meter{errors: map[string]int{}}
	m.from.Store(int64(time.Hour)) // nothing is within it until the window opens
	return m
}

// open has the window begin now, and last.
func (m *meter) open(now, length time.Duration) {
	m.to.Store(int64(now + length))
	m.from.Store(int64(now))
}

func (m *meter) within(at time.Duration) bool {
	return int64(at) >= m.from.Load() && int64(at) < m.to.Load()
}

// acked counts an acknowledged send.
func (m *meter) acked(device int, due, now time.Duration) {
	s := &m.stripes[device%stripes]
	s.mu.Lock()
	defer s.mu.Unlock()
	s.AllSends++
	if m.within(now) {
		s.Sends++
	}
	if m.within(due) {
		record(&s.ack, now-due)
	}
}

// delivered counts a message that was pushed for the first time.
func (m *meter) delivered(device int, due, now time.Duration) {
	s := &m.stripes[device%stripes]
	s.mu.Lock()
	defer s.mu.Unlock()
	s.AllDeliveries++
	if m.within(now) {
		s.Deliveries++
	}
	if m.within(due) {
		record(&s.deliver, now-due)
	}
}

// connected counts a device that got ready, once the window has opened.
func (m *meter) connected(device int, began, now time.Duration) {
	m.add(device, func(s *stripe) {
		if int64(began) >= m.from.Load() {
			s.Connects++
			record(&s.connect, now-began)
		}
	})
}

// caught counts a device that has all that it had missed.
func (m *meter) caught(device int, began, now time.Duration) {
	m.add(device, func(s *stripe) {
		if int64(began) >= m.from.Load() {
			record(&s.caughtUp, now-began)
		}
	})
}

func (m *meter) add(device int, f func(*stripe)) {
	s := &m.stripes[device%stripes]
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s)
}

// failed counts an error by its code.
func (m *meter) failed(code string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.errors[code]++
}

func (m *meter) failures() map[string]int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.errors)
}

// sum puts the counts together.
func (m *meter) sum() (all counts) {
	for i := range m.stripes {
		s := &m.stripes[i]
		s.mu.Lock()
		all.Sends += s.Sends
		all.Deliveries += s.Deliveries
		all.AllSends += s.AllSends
		all.AllDeliveries += s.AllDeliveries
		all.Doubled += s.Doubled
		all.Repaired += s.Repaired
		all.Connects += s.Connects
		s.mu.Unlock()
	}
	return all
}

// merged puts one kind of histogram together; nil when nothing was recorded.
func (m *meter) merged(of func(*stripe) *hdrhistogram.Histogram) *hdrhistogram.Histogram {
	var all *hdrhistogram.Histogram
	for i := range m.stripes {
		s := &m.stripes[i]
		s.mu.Lock()
		if h := of(s); h != nil {
			if all == nil {
				all = newHistogram()
			}
			all.Merge(h)
		}
		s.mu.Unlock()
	}
	return all
}

func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, longestLatency, latencyDigits)
}

func record(h **hdrhistogram.Histogram, took time.Duration) {
	if *h == nil {
		*h = newHistogram()
	}
	_ = (*h).RecordValue(min(max(took.Microseconds(), 1), longestLatency)) // in its range
}
