package chat

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
)

// Two replicas over one file, both with a small memory. People send to either,
// remove what has only just been stored, and read; inserts return late, and
// what one replica removes is told to the other later still. Every page must
// be one that the store could have given since the reader asked, and in the
// end each is the store's.
func TestMemory_chaos(t *testing.T) {
	seeds := 4
	if testing.Short() {
		seeds = 1
	}
	for seed := range seeds {
		t.Run(fmt.Sprint("seed_", seed), func(t *testing.T) {
			t.Parallel()
			newForgetful(t, uint64(seed)).run()
		})
	}
}

const forgetfulRooms = 2

type forgetful struct {
	t        *testing.T
	rng      *dice
	file     Store // without delays
	replicas [2]*forgetfulReplica

	acked [forgetfulRooms]atomic.Int64 // the last seq of which a sender knows

	mu   sync.Mutex
	seen map[Place]contract.Message // as first seen in a page
}

type forgetfulReplica struct {
	log     *testLog
	memory  *Memory
	history *History
	remover *Remover

	mu   sync.Mutex
	gone map[Place]bool // whose removal was acknowledged here, or told
}

func newForgetful(t *testing.T, seed uint64) *forgetful {
	f := &forgetful{t: t, rng: &dice{rng: rand.New(rand.NewPCG(seed, 2))}, seen: make(map[Place]contract.Message)}
	path := newFile(t)
	f.file = openFile(t, path)
	d := newDirectory(t)
	for room := range forgetfulRooms {
		d.put(roomOf(room), "admin", 1)
		d.change(roomOf(room), "admin", 1, func(m *contract.Membership) { m.Type, m.Role = contract.RoomGroup, contract.RoleAdmin })
	}
	for i := range f.replicas {
		store := &faulty{Store: openFile(t, path)}
		store.onAppend = func(ctx context.Context, r []Record) (int, error) {
			stored, err := store.Store.Append(ctx, r)
			<-time.After(f.rng.duration(3 * time.Millisecond)) // others see it already
			return stored, err
		}
		memory := NewMemory(MemoryOptions{PerRoom: 40, Bytes: 60 * 400, Age: time.Hour, Now: time.Now})
		f.replicas[i] = &forgetfulReplica{
			log: startLogWith(t, store, memory), memory: memory, history: testHistory(store, memory),
			remover: &Remover{store: store, memory: memory, members: d.members, within: time.Hour, now: time.Now},
			gone:    make(map[Place]bool),
		}
	}
	return f
}

func roomOf(n int) string { return fmt.Sprint("room-", n) }

func (f *forgetful) run() {
	var sending, others sync.WaitGroup
	done := make(chan struct{})
	for sender := range 6 {
		sending.Go(func() { f.send(fmt.Sprint("sender-", sender), sender%forgetfulRooms) })
	}
	until := func(act func()) {
		others.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					act()
				}
			}
		})
	}
	until(f.remove)
	for range 3 {
		until(f.read)
	}
	sending.Wait()
	close(done)
	others.Wait()
	f.check()
}

// send mostly goes to the replica to which the room is pinned.
func (f *forgetful) send(sender string, room int) {
	for n := range 60 {
		to := room % 2
		if f.rng.n(15) == 0 {
			to = 1 - to
		}
		got, err := f.replicas[to].log.Append(within(f.t), record(roomOf(room), sender, fmt.Sprint(n)))
		if err != nil {
			f.t.Error(err)
			return
		}
		for old := f.acked[room].Load(); old < got.Seq && !f.acked[room].CompareAndSwap(old, got.Seq); {
			old = f.acked[room].Load()
		}
	}
}

// remove takes one of the last messages that are in the store.
func (f *forgetful) remove() {
	<-time.After(f.rng.duration(2 * time.Millisecond))
	room, i := f.rng.n(forgetfulRooms), f.rng.n(2)
	head, err := tail(within(f.t), f.file, roomOf(room))
	if err != nil || head == 0 {
		return
	}
	at := Place{RoomID: roomOf(room), Seq: max(1, head-int64(f.rng.n(4)))}
	by, other := f.replicas[i], f.replicas[1-i]
	removed, err := by.remover.Remove(within(f.t), contract.MessageRequest{Caller: contract.Caller{UserID: "admin"}, RoomID: at.RoomID, Seq: at.Seq})
	if err != nil {
		f.t.Error(err)
		return
	}
	by.bury(at)
	<-time.After(f.rng.duration(time.Millisecond))
	if f.rng.n(20) == 0 {
		other.memory.DropAll()
	} else {
		other.memory.Removed(at, removed.RemovedBy, removed.RemovedAt)
	}
	other.bury(at)
}

func (r *forgetfulReplica) bury(at Place) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gone[at] = true
}

// request is a random one.
func (f *forgetful) request(room int) (contract.HistoryRequest, int64) {
	head := int(f.acked[room].Load())
	near := func() *int64 { seq := int64(max(0, head-f.rng.n(50)+5)); return &seq }
	req := contract.HistoryRequest{RoomID: roomOf(room), Limit: 1 + f.rng.n(30)}
	switch f.rng.n(5) {
	case 0, 1:
		req.AfterSeq = near()
	case 2:
		req.BeforeSeq = near()
	case 3:
		req.AfterSeq, req.BeforeSeq = near(), near()
	}
	if req.BeforeSeq != nil && *req.BeforeSeq == 0 {
		req.BeforeSeq = nil
	}
	return req, int64(1 + f.rng.n(2)*f.rng.n(head+1))
}

func (f *forgetful) read() {
	room := f.rng.n(forgetfulRooms)
	at := f.replicas[f.rng.n(2)]
	req, first := f.request(room)
	head := f.acked[room].Load()
	at.mu.Lock()
	gone := make(map[int64]bool)
	for p := range at.gone {
		gone[p.Seq] = gone[p.Seq] || p.RoomID == req.RoomID
	}
	at.mu.Unlock()

	reply, err := at.history.Read(within(f.t), req, first)
	if err != nil {
		f.t.Error(err)
		return
	}
	wantPage(f.t, req, first, head, reply)
	for _, m := range reply.Items {
		if gone[m.Seq] && (m.Type != contract.MessageRemoved || m.Content.Text != "") {
			f.t.Errorf("%s %d is shown after its removal: %+v", m.RoomID, m.Seq, m)
		}
		f.mu.Lock()
		if place := (Place{RoomID: m.RoomID, Seq: m.Seq}); f.seen[place].ID == "" {
			f.seen[place] = m
		} else if f.seen[place].ID != m.ID {
			f.t.Errorf("%+v is %s, and was %s", place, m.ID, f.seen[place].ID)
		}
		f.mu.Unlock()
	}
}

// wantPage fails unless the page is one of a room that had got to head when
// it was asked for.
func wantPage(t *testing.T, req contract.HistoryRequest, first, head int64, reply contract.HistoryReply) {
	t.Helper()
	from, to, step := first, reply.LastSeq, int64(-1)
	if req.AfterSeq != nil {
		from, step = max(from, *req.AfterSeq+1), 1
	}
	if req.BeforeSeq != nil {
		to = min(to, *req.BeforeSeq-1)
	}
	next, end := to, from
	if step == 1 {
		next, end = from, to
	}
	for _, m := range reply.Items {
		if m.Seq != next || m.Seq < from || m.Seq > to {
			t.Errorf("%s of %d has %d where %d should be", asked(req, first), reply.LastSeq, m.Seq, next)
			return
		}
		next += step
	}
	complete := from > to || next == end+step
	switch {
	case len(reply.Items) > req.Limit:
		t.Errorf("%s has %d messages", asked(req, first), len(reply.Items))
	case !reply.HasMore && !complete:
		t.Errorf("%s ends at %d of %d and says that there is no more", asked(req, first), next-step, reply.LastSeq)
	case reply.HasMore && len(reply.Items) == 0:
		t.Errorf("%s is empty and says that there is more", asked(req, first))
	}
	claimsHead := req.BeforeSeq == nil && (req.AfterSeq == nil || !reply.HasMore)
	if claimsHead && reply.LastSeq < head {
		t.Errorf("%s says that the room ends at %d, but %d was acknowledged", asked(req, first), reply.LastSeq, head)
	}
}

func asked(req contract.HistoryRequest, first int64) string {
	s := fmt.Sprint("from ", first, " on")
	if req.AfterSeq != nil {
		s += fmt.Sprint(", after ", *req.AfterSeq)
	}
	if req.BeforeSeq != nil {
		s += fmt.Sprint(", before ", *req.BeforeSeq)
	}
	return s
}

// check compares what is remembered with the store.
func (f *forgetful) check() {
	t := f.t
	t.Helper()
	truth := testHistory(f.file, NewMemory(MemoryOptions{Now: time.Now}))
	for range 300 {
		room := f.rng.n(forgetfulRooms)
		req, first := f.request(room)
		want, err := truth.Read(within(t), req, first)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range f.replicas {
			got, err := r.history.Read(within(t), req, first)
			if err != nil || got.LastSeq > want.LastSeq || got.HasMore != want.HasMore || !equalJSON(t, got.Items, want.Items) {
				t.Fatalf("replica %d, %s: %s of %d, the store has %s of %d; %v", i, asked(req, first), told(got), got.LastSeq, told(want), want.LastSeq, err)
			}
		}
	}
	pages := 0.0
	for _, r := range f.replicas {
		wantCounted(t, r.memory)
		pages += counted(t, r.history.metrics.memory)
	}
	if pages < 50 {
		t.Errorf("only %v pages came from memory", pages)
	}
	for place, m := range f.seen {
		found, err := f.file.Messages(within(t), []Place{place})
		if err != nil || found[place.RoomID].ID != m.ID {
			t.Fatalf("%+v was shown as %s, and is %s: %v", place, m.ID, found[place.RoomID].ID, err)
		}
	}
}
