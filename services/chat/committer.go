package chat

import (
	"context"
	"slices"
	"time"
)

// committer is one writer goroutine of a Log: it alone knows and changes what
// is in here, apart from the two channels.
type committer struct {
	*Log
	queue   chan *send
	stopped chan struct{} // closed when it answers no more

	pending   []*slot // in the order of arrival
	byKey     map[Key]*slot
	rooms     *activeRooms
	recent    *recentSends
	heads     map[*room]int64     // to be announced after this round
	doubts    map[string]struct{} // rooms whose head must be read, at most maxDoubts
	doubtful  int                 // doubts that one read clears, at most
	outage    outage              // others read it too
	notBefore time.Time           // of the next call of the store, after failures
	inserted  time.Time           // when an insert succeeded last
	nextGroup int                 // of rooms whose calls fail
	waiting   waitingSends        // others change it too
}

// slot is one message to be inserted, and everyone who sent it: a retry that
// arrives while the first send waits joins it.
type slot struct {
	record Record
	room   *room
	sends  []*send // bounded by the callers of Append, each of whom waits
	lookUp bool    // it may be stored already: ask by client_id before the next insert
	tried  bool    // it was in an insert
}

// left reports whether nobody waits for the slot any more.
func (s *slot) left() bool {
	return !slices.ContainsFunc(s.sends, func(w *send) bool { return w.ctx.Err() == nil })
}

func newCommitter(l *Log) *committer {
	return &committer{
		Log:     l,
		queue:   make(chan *send, l.o.Queue),
		stopped: make(chan struct{}),
		byKey:   make(map[Key]*slot),
		rooms:   newActiveRooms(max(1, l.o.ActiveRooms/l.o.Committers)),
		recent:  newRecentSends(max(1, l.o.RecentSends/l.o.Committers)),
		heads:   make(map[*room]int64),
		doubts:  make(map[string]struct{}),

		doubtful: l.o.BatchDocs,
		waiting:  waitingSends{byRoom: make(map[string]int)},
	}
}

// run works in rounds: take what waits, insert it, publish and answer. What
// could not be inserted stays for the next round, together with what has
// arrived meanwhile.
func (c *committer) run(ctx context.Context) (err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = panicked(reason)
		}
		c.abandon()
	}()
	for c.gather(ctx) {
		c.round(ctx)
		c.flushHeads()
		c.announceQuiet(time.Now())
		c.rooms.evict(func(r *room) { c.out.Head(r.id, r.last) })
	}
	c.lastHeads(context.WithoutCancel(ctx))
	return nil
}

// gather waits until there is something to do and takes the sends that wait.
// It is false when ctx has ended.
func (c *committer) gather(ctx context.Context) bool {
	if ctx.Err() != nil {
		return false
	}
	most := c.o.BatchDocs + c.held()
	if pause, ok := c.pause(); ok {
		var wake <-chan time.Time
		if pause >= 0 {
			timer := time.NewTimer(pause)
			defer timer.Stop()
			wake = timer.C
		}
		queue := c.queue
		if len(c.pending) >= most {
			queue = nil // the rest waits where its number is bounded
		}
		select {
		case s := <-queue:
			c.accept(s)
		case <-wake:
		case <-ctx.Done():
			return false
		}
	}
	// Retries need no slot: were their number not bounded too, a flood of them
	// would keep others waiting.
	for n := 0; n < c.o.BatchDocs && len(c.pending) < most; n++ {
		select {
		case s := <-c.queue:
			c.accept(s)
		default:
			return true
		}
	}
	return true
}

// pause says whether there is nothing to ask of the store now, and then for
// how long there will not be, unless a send arrives; negative means for ever.
func (c *committer) pause() (time.Duration, bool) {
	now, wait := time.Now(), time.Duration(-1)
	until := func(at time.Time) {
		if d := max(0, at.Sub(now)); wait < 0 || d < wait {
			wait = d
		}
	}
	for _, s := range c.pending {
		until(later(c.notBefore, s.room.notBefore))
	}
	if len(c.doubts) > 0 {
		until(c.notBefore)
	}
	if wait == 0 {
		return 0, false
	}
	if r := c.rooms.nextQuiet(); r != nil {
		until(r.quietAt)
	}
	return wait, true
}

// accept answers a send from memory, lets it join one that waits, or makes it
// wait. While the store is away it refuses what came before that was known.
func (c *committer) accept(s *send) {
	if s.ctx.Err() != nil {
		return // its caller has left and was never promised anything
	}
	key := s.record.Key()
	stored, known := c.recent.find(key)
	if known && s.record.Hash.matches(stored.Hash) {
		c.metrics.duplicates.Inc()
		s.settle(stored)
		c.oweHead(c.rooms.get(key.RoomID), stored.Seq)
		return
	}
	if c.outage.away() {
		c.refuse(s, c.outage.refusal(time.Now()))
		return
	}
	if first, ok := c.byKey[key]; ok {
		first.sends = append(first.sends, s)
		return
	}
	r := c.rooms.get(key.RoomID)
	if r.refusal(time.Now()) != nil || r.alone > 0 && r.slots >= c.o.BatchDocs {
		c.refuse(s, r.cause)
		return
	}
	r.slots++
	added := &slot{record: s.record, room: r, sends: []*send{s}, lookUp: known} // other content counts once the message is removed
	c.byKey[key] = added
	c.pending = append(c.pending, added)
}

// resolve answers everyone who sent the slot's message, and frees the slot;
// the caller takes it out of pending.
func (c *committer) resolve(s *slot, stored Record) {
	c.recent.add(stored)
	c.free(s)
	for _, w := range s.sends {
		w.settle(stored)
	}
}

func (c *committer) free(s *slot) {
	s.room.slots--
	delete(c.byKey, s.record.Key())
}

// oweHead has the room's head announced at the end of the round: its clients
// may lack messages that were stored without having been published here.
func (c *committer) oweHead(r *room, atLeast int64) {
	c.heads[r] = max(c.heads[r], atLeast)
}

func (c *committer) flushHeads() {
	for r, seq := range c.heads {
		if r.known {
			seq = max(seq, r.tail)
		}
		c.out.Head(r.id, seq)
	}
	clear(c.heads)
}

// announceQuiet announces the heads of rooms that have been quiet for long
// enough: a last message that was lost on its way shows no gap.
func (c *committer) announceQuiet(now time.Time) {
	for r := c.rooms.nextQuiet(); r != nil && !r.quietAt.After(now); r = c.rooms.nextQuiet() {
		c.out.Head(r.id, r.last)
		c.rooms.announced(r)
	}
}

// lastHeads announces what is still owed before the committer ends.
func (c *committer) lastHeads(ctx context.Context) {
	for _, s := range c.pending {
		if s.lookUp {
			c.doubt(s.room)
		}
	}
	if len(c.doubts) > 0 && !c.outage.away() {
		ctx, cancel := context.WithTimeout(ctx, min(c.o.StoreTimeout, time.Second))
		defer cancel()
		c.clearDoubts(ctx)
	}
	for r := c.rooms.nextQuiet(); r != nil; r = c.rooms.nextQuiet() {
		c.out.Head(r.id, r.last)
		c.rooms.announced(r)
	}
}

// abandon answers what waits, and makes Append refuse what comes.
func (c *committer) abandon() {
	close(c.stopped)
	for _, s := range c.pending {
		for _, w := range s.sends {
			w.answer(answer{err: errStopping})
		}
	}
	c.pending = nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
