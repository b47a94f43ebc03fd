package gateway

import (
	"sync"
	"time"
)

// outgoing is one frame that waits to be written.
type outgoing struct {
	wire []byte // of wireFrame; never changed: others may have it, too
	size int    // that counts

	// Of pushes only; small, since each connection has its own.
	age     int32         // of its message when the hub took it, milliseconds by two clocks; 0: it has none
	arrived time.Duration // when the hub took it, by sinceStart
	trail   *trail        // nil: nobody traces it
}

// queue holds what a connection has yet to write, bounded by bytes. Before
// the connection is ready, pushes are held back, so that the answer to
// authentication comes first; replies pass.
type queue struct {
	limit int // bytes, waiting, held and being written together

	mu      sync.Mutex
	waiting []outgoing
	held    []outgoing
	holding bool
	bytes   int
	closing *ending       // set once: nothing is taken in any more
	wake    chan struct{} // capacity 1: there is something to take
}

func newQueue(limit int) *queue {
	return &queue{limit: limit, holding: true, wake: make(chan struct{}, 1)}
}

// push adds a frame that the client did not ask for. It reports false when
// the queue was full: the client reads too slowly.
func (q *queue) push(o outgoing) bool { return q.add(o, true) }

// reply adds an answer. It reports false when the queue was full.
func (q *queue) reply(o outgoing) bool { return q.add(o, false) }

func (q *queue) add(o outgoing, mayHold bool) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closing != nil {
		o.trail.lost()
		return true
	}
	if q.bytes+o.size > q.limit {
		o.trail.lost()
		return false
	}
	q.bytes += o.size
	if mayHold && q.holding {
		q.held = append(q.held, o)
		return true
	}
	q.waiting = append(q.waiting, o)
	q.signal()
	return true
}

// release puts the first frame before all that was held back, and lets
// pushes pass from now on. The frame does not count: it is as large as the
// user has rooms, and a client that reads well must not be too slow because of
// it.
func (q *queue) release(first outgoing) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closing != nil {
		return
	}
	first.size = 0
	q.waiting = append(append(q.waiting, first), q.held...)
	q.held, q.holding = nil, false
	q.signal()
}

// ready reports whether pushes pass.
func (q *queue) ready() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return !q.holding
}

// close lets what waits be written, or drops it, and then has the writer end
// the connection. The first ending stands.
func (q *queue) close(e *ending, drop bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closing != nil {
		return
	}
	q.closing = e
	lose(q.held)
	q.held = nil
	if drop {
		lose(q.waiting)
		q.waiting = nil
	}
	q.signal()
}

// ending is how the connection ends, and nil while it does not.
func (q *queue) ending() *ending {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closing
}

// take swaps the waiting frames for the given empty slice, and tells the
// ending once the queue is closed. The frames keep counting until done.
func (q *queue) take(empty []outgoing) ([]outgoing, *ending) {
	q.mu.Lock()
	defer q.mu.Unlock()
	taken := q.waiting
	q.waiting = empty
	return taken, q.closing
}

// done gives a written frame's bytes back.
func (q *queue) done(size int) {
	q.mu.Lock()
	q.bytes -= size
	q.mu.Unlock()
}

// waits is how many bytes wait, are held, or are being written.
func (q *queue) waits() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.bytes
}

// lose tells of frames that nobody writes any more.
func lose(frames []outgoing) {
	for _, o := range frames {
		o.trail.lost()
	}
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}
