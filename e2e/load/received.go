package main

import "sync/atomic"

// received knows which messages of one room one device has. The device's
// reader alone writes it; reached may be read by anyone. The two ways in which
// a message comes are kept apart: that one is both pushed and fetched is a
// client's daily life, that one is pushed twice is not.
type received struct {
	room    *room
	base    int64 // the room's head when the device first connected: what is counted comes after
	pushed  bitset
	fetched bitset
	reached atomic.Int64 // everything up to here is there
	target  int64        // where ready said that the room stands
	started bool
	asking  atomic.Bool // messages.get is under way
}

// start says that what is counted begins after base.
func (r *received) start(base int64) {
	r.base, r.target, r.started = base, base, true
	r.reached.Store(base)
}

// push notes a live delivery; false when there was one of this seq already.
func (r *received) push(seq int64) bool {
	if seq <= r.base {
		return true // before our time
	}
	if !r.pushed.add(seq - r.base) {
		return false
	}
	r.advance()
	return true
}

// fetch notes a message of a page; true when it had been missing.
func (r *received) fetch(seq int64) bool {
	if seq <= r.base {
		return false
	}
	missing := r.fetched.add(seq-r.base) && !r.pushed.has(seq-r.base)
	r.advance()
	return missing
}

// advance moves reached over all that is there.
func (r *received) advance() {
	seq := r.reached.Load()
	for r.pushed.has(seq+1-r.base) || r.fetched.has(seq+1-r.base) {
		seq++
	}
	r.reached.Store(seq)
}

// lost is how many messages up to head never came.
func (r *received) lost(head int64) (n int) {
	for seq := r.reached.Load() + 1; seq <= head; seq++ {
		if !r.pushed.has(seq-r.base) && !r.fetched.has(seq-r.base) {
			n++
		}
	}
	return n
}

// beyond is how many of its messages are not in the set of acknowledged seqs.
func (r *received) beyond(acked bitset) (n int64) {
	last := r.base + 64*int64(max(len(r.pushed), len(r.fetched)))
	for seq := r.base + 1; seq < last; seq++ {
		if (r.pushed.has(seq-r.base) || r.fetched.has(seq-r.base)) && !acked.has(seq) {
			n++
		}
	}
	return n
}

// bitset is a set of small numbers.
type bitset []uint64

// add reports whether n is new.
func (b *bitset) add(n int64) bool {
	word, bit := n/64, uint64(1)<<(n%64)
	for int64(len(*b)) <= word {
		*b = append(*b, 0)
	}
	fresh := (*b)[word]&bit == 0
	(*b)[word] |= bit
	return fresh
}

func (b bitset) has(n int64) bool {
	return n >= 0 && n/64 < int64(len(b)) && b[n/64]&(1<<(n%64)) != 0
}
