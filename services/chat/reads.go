package chat

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/parley-im/parley/pkg/fault"
)

// ReadsOptions are the bounds of [Reads]; Queue and Timeout must be positive.
type ReadsOptions struct {
	Queue   int           // calls that wait for the next write
	Timeout time.Duration // of a call whose caller has no nearer deadline
	Known   int           // positions kept in memory; 0: none
}

// ReadTeller tells members how far one of them has read. Calls come from one
// goroutine and must not block for long.
type ReadTeller interface {
	Read(ctx context.Context, p Position, members int) // ctx only says on whose behalf; members of the room, 0: not known
}

// Reads moves read positions. Those that are set while a write is under way go
// out together in the next (group commit): however many people read, the
// store's one writer is asked once, and sends find their turn.
//
// It is simpler than a Log. A position only grows, so that writing one twice,
// late, or while another replica writes it harms nothing: what failed is not
// tried again here, and of several positions of one user and room the furthest
// is all that is written.
type Reads struct {
	write func(context.Context, []Position) (moved []Position, failed map[Position]error)
	tell  ReadTeller
	o     ReadsOptions

	metrics *readsMetrics
	kick    chan struct{} // one long
	stopped chan struct{} // closed when nothing is written any more

	mu      sync.Mutex
	next    *readBatch // gathers for the next write; nil: nobody waits
	writing time.Time  // since when a write is under way; zero: none is
	known   knownReads
}

// readBatch is what one write moves.
type readBatch struct {
	positions map[readKey]*waitingRead
	calls     int           // that wait for it, or did
	done      chan struct{} // closed when failed is set
	failed    map[readKey]error
}

// waitingRead is the furthest position of a user in a room, of those who wait.
type waitingRead struct {
	seq     int64
	members int
	ctx     context.Context // of whoever set it
}

// NewReads prepares Reads that write as an edgeStore's MoveReads does; Run makes
// them work.
func NewReads(write func(context.Context, []Position) ([]Position, map[Position]error), tell ReadTeller, o ReadsOptions, metrics *readsMetrics) *Reads {
	return &Reads{
		write: write, tell: tell, o: o, metrics: metrics,
		kick: make(chan struct{}, 1), stopped: make(chan struct{}), known: knownReads{limit: o.Known},
	}
}

// Run writes until ctx ends; then it writes what waits, and refuses the rest.
func (r *Reads) Run(ctx context.Context) error {
	defer close(r.stopped)
	for {
		select {
		case <-r.kick:
			r.flush(ctx)
		case <-ctx.Done():
			r.flush(ctx)
			return nil
		}
	}
}

// Knows reports whether the user's position is known to be there or further:
// positions never move back, whoever moves them, so that it may be believed.
func (r *Reads) Knows(p Position) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.known.reached(p.key()) >= p.Seq
}

// Set moves a position forward, never back, and returns once the store has it.
// Members of the room are told, if it moved. The faults:
//
//   - Unavailable, with a hint when to come back: the store is away, too many
//     wait, or the replica is stopping.
//   - DeadlineExceeded: ReadsOptions.Timeout ended, or ctx would have before
//     the answer got through.
//
// After either the position may be set nevertheless, also later; setting it
// again is safe.
func (r *Reads) Set(ctx context.Context, p Position, members int) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin(ctx, r.o.Timeout))
	defer cancel()
	batch, err := r.join(ctx, p, members)
	if err != nil {
		r.metrics.refused.Inc()
		return err
	}
	select {
	case <-batch.done:
		return batch.outcome(p.key())
	case <-ctx.Done():
		return r.gaveUp(ctx.Err())
	case <-r.stopped:
	}
	select { // written before it stopped?
	case <-batch.done:
		return batch.outcome(p.key())
	default:
		return errStopping
	}
}

// join has the next write move the position, too. It refuses those who would
// wait in vain.
func (r *Reads) join(ctx context.Context, p Position, members int) (*readBatch, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stalled(time.Now()) {
		return nil, storeAway(errStalled)
	}
	if r.next == nil {
		r.next = &readBatch{positions: make(map[readKey]*waitingRead), done: make(chan struct{})}
	}
	if r.next.calls >= r.o.Queue {
		return nil, errReadsOverloaded
	}
	r.next.calls++
	if known, ok := r.next.positions[p.key()]; !ok || known.seq < p.Seq {
		r.next.positions[p.key()] = &waitingRead{seq: p.Seq, members: members, ctx: context.WithoutCancel(ctx)}
	}
	select {
	case r.kick <- struct{}{}:
	default:
	}
	return r.next, nil
}

// errReadsOverloaded is what Set refuses with when too many wait.
var errReadsOverloaded = fault.New(fault.Unavailable, "too many read positions wait to be stored").After(time.Second)

func (r *Reads) stalled(now time.Time) bool {
	return !r.writing.IsZero() && now.Sub(r.writing) >= awayAfter
}

// flush writes what waits. What comes meanwhile is the next one's.
func (r *Reads) flush(ctx context.Context) {
	r.mu.Lock()
	batch := r.next
	r.next = nil
	if batch != nil {
		r.writing = time.Now()
	}
	r.mu.Unlock()
	if batch == nil {
		return
	}
	defer close(batch.done)
	positions := make([]Position, 0, len(batch.positions))
	for key, w := range batch.positions {
		positions = append(positions, Position{UserID: key.userID, RoomID: key.roomID, Seq: w.seq})
	}
	r.metrics.batch.Observe(float64(len(positions)))
	moved, failed := r.write(context.WithoutCancel(ctx), positions) // its own timeout bounds it
	batch.failed = make(map[readKey]error, len(failed))
	for p, err := range failed {
		batch.failed[p.key()] = err
	}
	r.wrote(positions, failed)
	for _, p := range moved {
		w := batch.positions[p.key()]
		r.tell.Read(w.ctx, p, w.members)
	}
}

func (r *Reads) wrote(positions []Position, failed map[Position]error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.writing = time.Time{}
	for _, p := range positions {
		if failed[p] == nil {
			r.known.note(p.key(), p.Seq)
		}
	}
}

// outcome is what one caller is told of the write: a time of its own to come
// back.
func (b *readBatch) outcome(key readKey) error {
	err := b.failed[key]
	if fault.Is(err, fault.Unavailable) {
		return storeAway(err)
	}
	return err
}

// gaveUp is what a call gets whose ctx ended while it waited.
func (r *Reads) gaveUp(cause error) error {
	if !errors.Is(cause, context.DeadlineExceeded) {
		return fault.New(fault.Unavailable, "the call was interrupted").Because(cause)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stalled(time.Now()) {
		return storeAway(errStalled)
	}
	return fault.New(fault.DeadlineExceeded, "the read position was not confirmed in time; set it again").Because(cause)
}
