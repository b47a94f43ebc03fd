package chat

import (
	"context"
	"sync"
	"time"

	"github.com/parley-im/parley/pkg/contract"
)

// ReceiptsOptions are the bounds of [Receipts].
type ReceiptsOptions struct {
	Window   time.Duration // in which what a room is told is gathered; 0: each position goes out by itself
	Audience int           // members of the largest room that is told
}

// ReceiptPusher publishes what Receipts tell.
type ReceiptPusher interface {
	Read(ctx context.Context, p Position)                       // to the room
	Reads(ctx context.Context, roomID string, reads []Position) // to the room, at most contract.MaxReads
	ReadByThemselves(ctx context.Context, p Position)           // to the reader's own devices
}

// Receipts tell the members of rooms how far others have read, at a cost that
// grows with the members, not with their square: where n people read the same
// message, n pushes to n members would be n² frames.
//
// The first position in a room goes out at once. Those that follow within the
// window are gathered, one of each user, and go out together at its end; that
// begins the next. So a device hears of a room once a window at most, however
// many read in it. In a room with more members than the audience only the
// reader's own other devices are told: a position reaches so many others, and
// no more.
//
// Each replica gathers by itself. What it has gathered is lost when it dies:
// receipts are told at most once, the positions themselves are stored before.
type Receipts struct {
	out  ReceiptPusher
	o    ReceiptsOptions
	wake chan struct{} // one long: a window began where there was none

	mu    sync.Mutex
	rooms map[string]*readWindow
	queue []*readWindow // the same, in the order of their ends
}

// readWindow is what has been read in a room since the last push.
type readWindow struct {
	roomID string
	ends   time.Time
	seqs   map[string]int64 // by user; at most the audience
}

// maxReadWindows bounds the rooms that gather at the same time. What is read in
// any more goes out by itself.
const maxReadWindows = 10_000

// NewReceipts prepares Receipts; Run makes them tell what they gather.
func NewReceipts(out ReceiptPusher, o ReceiptsOptions) *Receipts {
	return &Receipts{out: out, o: o, wake: make(chan struct{}, 1), rooms: make(map[string]*readWindow)}
}

// Read is a ReadTeller. A room of which the members are not known counts as a
// small one.
func (r *Receipts) Read(ctx context.Context, p Position, members int) {
	switch {
	case members > r.o.Audience:
		r.out.ReadByThemselves(ctx, p)
	case !r.gather(p):
		r.out.Read(ctx, p)
	}
}

// gather is false when the position is the first, and goes out at once.
func (r *Receipts) gather(p Position) bool {
	if r.o.Window <= 0 {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if w, ok := r.rooms[p.RoomID]; ok {
		w.seqs[p.UserID] = max(w.seqs[p.UserID], p.Seq)
		return true
	}
	if len(r.rooms) < maxReadWindows {
		r.begin(&readWindow{roomID: p.RoomID}, time.Now())
	}
	return false
}

func (r *Receipts) begin(w *readWindow, now time.Time) {
	w.ends, w.seqs = now.Add(r.o.Window), make(map[string]int64)
	r.rooms[w.roomID] = w
	if r.queue = append(r.queue, w); len(r.queue) == 1 {
		select {
		case r.wake <- struct{}{}:
		default:
		}
	}
}

// Run tells at the end of each window what it has gathered, until ctx ends;
// then it tells the rest.
func (r *Receipts) Run(ctx context.Context) error {
	for {
		var end <-chan time.Time
		wait, some := r.next()
		timer := time.NewTimer(wait)
		if some {
			end = timer.C
		}
		select {
		case <-r.wake:
		case <-end:
			r.tell(context.WithoutCancel(ctx), time.Now())
		case <-ctx.Done():
			timer.Stop()
			r.tell(context.WithoutCancel(ctx), time.Now().Add(r.o.Window))
			return nil
		}
		timer.Stop()
	}
}

// next is how long it is until a window ends, if there is one.
func (r *Receipts) next() (time.Duration, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.queue) == 0 {
		return 0, false
	}
	return time.Until(r.queue[0].ends), true
}

// tell tells what was gathered in the windows that end by then, and begins the
// next ones. A room in which nothing was read has none: the next position goes
// out at once.
func (r *Receipts) tell(ctx context.Context, by time.Time) {
	for _, ended := range r.ended(by) {
		for len(ended) > 0 {
			some := ended[:min(len(ended), contract.MaxReads)]
			if ended = ended[len(some):]; len(some) == 1 {
				r.out.Read(ctx, some[0])
			} else {
				r.out.Reads(ctx, some[0].RoomID, some)
			}
		}
	}
}

func (r *Receipts) ended(by time.Time) (rooms [][]Position) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now, n := time.Now(), 0
	for n < len(r.queue) && !r.queue[n].ends.After(by) {
		n++
	}
	ended := r.queue[:n]
	r.queue = append([]*readWindow(nil), r.queue[n:]...)
	for _, w := range ended {
		delete(r.rooms, w.roomID)
		if len(w.seqs) == 0 {
			continue
		}
		positions := make([]Position, 0, len(w.seqs))
		for user, seq := range w.seqs {
			positions = append(positions, Position{UserID: user, RoomID: w.roomID, Seq: seq})
		}
		rooms = append(rooms, positions)
		r.begin(w, now)
	}
	return rooms
}
