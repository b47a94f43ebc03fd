package chat

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/rpc"
	"github.com/parley-im/parley/pkg/telemetry"
)

// LogOptions are the bounds of a [Log]; all numbers must be positive.
type LogOptions struct {
	Committers   int              // goroutines that insert; a room belongs to one of them
	Queue        int              // sends that wait for each of them
	BatchDocs    int              // messages in one insert
	BatchBytes   int              // and their size (Record.Size) in sum
	StoreURL     string           // for spans; only its scheme is told
	StoreTimeout time.Duration    // of one call of the store
	SendTimeout  time.Duration    // of a send whose caller has no nearer deadline
	ActiveRooms  int              // rooms whose tail is kept in memory
	RecentSends  int              // sends remembered to answer retries from memory
	QuietAfter   time.Duration    // a room's head is announced so long after its last message
	Now          func() time.Time // for SentAt; pauses follow the machine's clock
}

// Announcer tells members what has happened in a room. Calls for one room
// come from one goroutine, in order, and must not block for long.
type Announcer interface {
	Message(ctx context.Context, m contract.Message) // ctx only says on whose behalf
	Head(roomID string, lastSeq int64)
}

// Receipt says where a sent message stands. Duplicate means that an earlier
// send with the same client_id put it there.
type Receipt struct {
	Seq       int64
	ID        string
	SentAt    contract.Time
	Duplicate bool
}

// Log appends messages to rooms: each exactly once, in one order without
// holes, together with any number of Logs over the same store.
//
// It needs no coordinator, because the store refuses a second message with
// the same seq or client_id. The Log only guesses seqs well: a room's
// messages all pass through one goroutine (a committer), which knows the tail
// that it committed last, numbers what waits from there, and inserts it all
// at once; what arrives meanwhile goes into the next insert (group commit).
// When the guess was wrong, or the outcome of an insert is unknown, it reads
// the tail again, looks its client_ids up, and goes on.
type Log struct {
	store      Store
	memory     *Memory
	out        Announcer
	o          LogOptions
	log        *slog.Logger
	metrics    *logMetrics
	tracing    tracing
	seed       maphash.Seed
	committers []*committer
}

// NewLog prepares a Log that leaves what it stores in memory, too; Run makes
// it work.
func NewLog(store Store, memory *Memory, out Announcer, o LogOptions, tel *telemetry.Telemetry) *Log {
	l := &Log{store: store, memory: memory, out: out, o: o, log: tel.Log, seed: maphash.MakeSeed()}
	l.tracing = newTracing(tel, o.StoreURL)
	l.metrics = newLogMetrics(tel.Metrics, func() bool { return l.Ready(context.Background()) != nil })
	for range o.Committers {
		l.committers = append(l.committers, newCommitter(l))
	}
	return l
}

// Run commits until ctx ends; then inserts in flight are finished, heads
// still owed are announced, and other sends are answered Unavailable. It
// returns an error at once when a committer panics.
func (l *Log) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, c := range l.committers {
		// Owned by Run, stopped by ctx; c.queue is bounded by LogOptions.Queue.
		group.Go(func() error { return c.run(ctx) })
	}
	return group.Wait()
}

// Ready is nil while the store takes messages, as far as the last inserts
// tell. It asks nothing itself.
func (l *Log) Ready(context.Context) error {
	var errs []error
	for _, c := range l.committers {
		errs = append(errs, c.outage.err(time.Now()))
	}
	return errors.Join(errs...)
}

// Append stores a message, whose Seq and SentAt it sets, and returns where it
// stands. The faults:
//
//   - AlreadyExists: its Key belongs to a message with another content.
//   - Unavailable, with a hint when to come back: the store is away, too many
//     sends wait, or the Log is stopping.
//   - DeadlineExceeded: LogOptions.SendTimeout ended, or ctx would have before
//     the answer got through.
//
// A store that fails once is tried again. One that is away is not waited for,
// neither by new sends nor by those that wait already.
//
// After Unavailable and DeadlineExceeded the message may be stored
// nevertheless, also later; a retry with the same client_id is safe, and tells.
func (l *Log) Append(ctx context.Context, r Record) (Receipt, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin(ctx, l.o.SendTimeout))
	defer cancel()
	s, err := l.enqueue(ctx, r)
	if err != nil {
		return Receipt{}, err
	}
	return s.wait()
}

// AppendAll is Append for several messages at once, which go into one insert
// if it takes them. Each has its own result.
func (l *Log) AppendAll(ctx context.Context, records []Record) []rpc.Result[Receipt] {
	ctx, cancel := context.WithTimeout(ctx, answerWithin(ctx, l.o.SendTimeout))
	defer cancel()
	results := make([]rpc.Result[Receipt], len(records))
	sends := make([]*send, len(records))
	for i, r := range records {
		sends[i], results[i].Err = l.enqueue(ctx, r)
	}
	for i, s := range sends {
		if s != nil {
			results[i].Reply, results[i].Err = s.wait()
		}
	}
	return results
}

// enqueue gives the message to its committer.
func (l *Log) enqueue(ctx context.Context, r Record) (*send, error) {
	c := l.committers[maphash.String(l.seed, r.RoomID)%uint64(len(l.committers))]
	if cause := c.outage.refusal(time.Now()); cause != nil {
		l.metrics.away.Inc()
		return nil, storeAway(cause)
	}
	s := &send{ctx: ctx, committer: c, record: r, done: make(chan answer, 1)}
	if trace.SpanContextFromContext(ctx).IsSampled() {
		s.queued = time.Now()
	}
	if !c.waiting.put(s, c.queue) {
		l.metrics.full.Inc()
		return nil, errOverloaded
	}
	return s, nil
}

// waitingSends counts the sends that wait, by room, so that one room that is
// flooded does not take all of the queue.
type waitingSends struct {
	mu     sync.Mutex // held while the queue is judged and filled: others fill it, too
	byRoom map[string]int
}

// put takes a send into the queue and counts it, or refuses it. The last
// quarter of the queue is for rooms of which less than an eighth of it waits.
func (w *waitingSends) put(s *send, queue chan<- *send) bool {
	limit := cap(queue)
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.byRoom[s.record.RoomID]
	if len(queue) >= limit-limit/4 && n >= max(1, limit/8) {
		return false
	}
	select {
	case queue <- s:
		w.byRoom[s.record.RoomID] = n + 1
		return true
	default:
		return false
	}
}

// leave counts a send no longer.
func (w *waitingSends) leave(roomID string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.byRoom[roomID]--; w.byRoom[roomID] == 0 {
		delete(w.byRoom, roomID)
	}
}

// wait returns what became of the message, or that its context has ended.
func (s *send) wait() (Receipt, error) {
	defer s.committer.waiting.leave(s.record.RoomID)
	select {
	case a := <-s.done:
		return a.receipt, a.err
	case <-s.ctx.Done():
		return Receipt{}, s.committer.gaveUp(s.ctx.Err())
	case <-s.committer.stopped:
	}
	select { // answered before it stopped?
	case a := <-s.done:
		return a.receipt, a.err
	default:
		return Receipt{}, errStopping
	}
}

// What Append refuses with.
var (
	errOverloaded   = fault.New(fault.Unavailable, "too many messages wait to be stored").After(time.Second)
	errStopping     = fault.New(fault.Unavailable, "this replica is stopping").After(100 * time.Millisecond)
	errOtherContent = fault.New(fault.AlreadyExists, "client_id was used for another message")
)

// gaveUp is what a send gets whose ctx ended while it waited.
func (c *committer) gaveUp(cause error) error {
	if !errors.Is(cause, context.DeadlineExceeded) {
		return fault.New(fault.Unavailable, "the send was interrupted").Because(cause)
	}
	if why := c.outage.refusal(time.Now()); why != nil {
		c.metrics.away.Inc()
		return storeAway(why)
	}
	return fault.New(fault.DeadlineExceeded, "the message was not confirmed in time; send it again with the same client_id").Because(cause)
}

// send is one call of Append.
type send struct {
	ctx       context.Context
	committer *committer
	record    Record
	done      chan answer // one long
	queued    time.Time   // when it began to wait for an insert, or another; zero: nobody traces it
}

type answer struct {
	receipt Receipt
	err     error
}

// answer never blocks: only the first answer counts.
func (s *send) answer(a answer) {
	select {
	case s.done <- a:
	default:
	}
}

// settle answers with the message that is stored under the send's Key.
func (s *send) settle(stored Record) {
	if !s.record.Hash.matches(stored.Hash) {
		s.answer(answer{err: errOtherContent})
		return
	}
	s.answer(answer{receipt: Receipt{
		Seq:       stored.Seq,
		ID:        stored.ID,
		SentAt:    stored.SentAt,
		Duplicate: stored.ID != s.record.ID,
	}})
}

// panicked turns a recovered panic into the error that ends Run.
func panicked(reason any) error { return fmt.Errorf("commit messages: panic: %v", reason) }
