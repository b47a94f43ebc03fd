package main

import (
	"sync"
	"sync/atomic"
)

// room is where messages go in a run, and what has been acknowledged of it.
type room struct {
	id      string
	members []*device
	head    atomic.Int64 // the highest seq that was acknowledged

	mu    sync.Mutex
	acked bitset
}

// ack notes that a send got this seq; false when another had got it.
func (r *room) ack(seq int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if seq > r.head.Load() {
		r.head.Store(seq)
	}
	return r.acked.add(seq)
}
