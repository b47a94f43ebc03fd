package gateway

import (
	"sync"
	"time"
)

// outgoing is one frame that waits to be written. All who get a push share
// one.
type outgoing struct {
	wire []byte // of wireFrame; never changed
	size int    // that counts

	// Of pushes only.
	age     int32         // of its message when the hub took it, milliseconds by two clocks; 0: it has none
	arrived time.Duration // when the hub took it, by sinceStart
	trail   *trail        // nil: nobody traces it
}

// batch is frames that wait together.
type batch struct{ frames []*outgoing }

const (
	// batchFrames is how many frames a batch has room for at first.
	batchFrames = 32
	// batchKept is how many it may have had room for to be used again: one
	// that a stalled client has let grow is not kept.
	batchKept = 1024
)

// batches are those in which nothing waits; nearly all connections have none.
var batches = sync.Pool{New: func() any { return &batch{frames: make([]*outgoing, 0, batchFrames)} }}

// free gives the batch back. Whoever frees it has no further use for its
// frames.
func (b *batch) free() {
	if cap(b.frames) > batchKept {
		return
	}
	clear(b.frames)
	b.frames = b.frames[:0]
	batches.Put(b)
}

// queue holds what a connection has yet to write, bounded by bytes. Before
// the connection is ready, pushes are held back, so that the answer to
// authentication comes first; replies pass.
//
// There is a writer only while there is something to write. Who is told to
// start one must do so: until then everybody takes it for running.
type queue struct {
	limit int // bytes, waiting, held and being written together

	mu      sync.Mutex
	waiting *batch // nil: nothing waits
	held    []*outgoing
	bytes   int
	holding bool
	writing bool          // a writer runs, or someone was told to start one
	closing *ending       // set once: nothing is taken in any more
	ended   bool          // the last writer has ended; none will run any more
	left    chan struct{} // closed then; nil: nobody waits for it
}

func newQueue(limit int) queue { return queue{limit: limit, holding: true} }

// push adds a frame that the client did not ask for. ok is false when the
// queue was full: the client reads too slowly.
func (q *queue) push(o *outgoing) (start, ok bool) { return q.add(o, true) }

// reply adds an answer. ok is false when the queue was full.
func (q *queue) reply(o *outgoing) (start, ok bool) { return q.add(o, false) }

func (q *queue) add(o *outgoing, mayHold bool) (start, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closing != nil {
		o.trail.lost()
		return false, true
	}
	if q.bytes+o.size > q.limit {
		o.trail.lost()
		return false, false
	}
	q.bytes += o.size
	if mayHold && q.holding {
		q.held = append(q.held, o)
		return false, true
	}
	q.wait(o)
	return q.start(), true
}

func (q *queue) wait(frames ...*outgoing) {
	if q.waiting == nil {
		q.waiting, _ = batches.Get().(*batch)
	}
	q.waiting.frames = append(q.waiting.frames, frames...)
}

func (q *queue) start() bool {
	if q.writing {
		return false
	}
	q.writing = true
	return true
}

// release puts the first frame before all that was held back, and lets
// pushes pass from now on. The frame does not count: it is as large as the
// user has rooms, and a client that reads well must not be too slow because of
// it.
func (q *queue) release(first *outgoing) (start bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closing != nil {
		return false
	}
	first.size = 0
	q.wait(first)
	q.wait(q.held...)
	q.held, q.holding = nil, false
	return q.start()
}

// ready reports whether pushes pass.
func (q *queue) ready() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return !q.holding
}

// close lets what waits be written, or drops it, and then has the writer end
// the connection. The first ending stands.
func (q *queue) close(e *ending, drop bool) (start bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closing != nil {
		return false
	}
	q.closing = e
	lose(q.held)
	q.held = nil
	if drop && q.waiting != nil {
		lose(q.waiting.frames)
		q.waiting.free()
		q.waiting = nil
	}
	return q.start()
}

// ending is how the connection ends, and nil while it does not.
func (q *queue) ending() *ending {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closing
}

// take hands over what waits, nil when nothing does, and the ending once the
// queue is closed. With neither the writer has to end: the next frame starts
// another. The frames keep counting until done.
func (q *queue) take() (*batch, *ending) {
	q.mu.Lock()
	defer q.mu.Unlock()
	taken := q.waiting
	q.waiting = nil
	if taken == nil && q.closing == nil {
		q.writing = false
	}
	return taken, q.closing
}

// done gives a written frame's bytes back.
func (q *queue) done(size int) {
	q.mu.Lock()
	q.bytes -= size
	q.mu.Unlock()
}

// end notes that the last writer has ended.
func (q *queue) end() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ended = true
	if q.left != nil {
		close(q.left)
	}
}

// join waits until the last writer of a closed queue has ended.
func (q *queue) join() {
	q.mu.Lock()
	if q.ended {
		q.mu.Unlock()
		return
	}
	if q.left == nil {
		q.left = make(chan struct{})
	}
	left := q.left
	q.mu.Unlock()
	<-left
}

// waits is how many bytes wait, are held, or are being written.
func (q *queue) waits() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.bytes
}

// lose tells of frames that nobody writes any more.
func lose(frames []*outgoing) {
	for _, o := range frames {
		o.trail.lost()
	}
}
