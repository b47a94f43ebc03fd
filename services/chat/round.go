package chat

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/parley-im/parley/pkg/contract"
)

// round makes one attempt to insert what waits, or, while calls fail, one for
// each group of rooms, up to the first that may be the whole store's failure.
// One that has begun is finished when ctx ends, under its own timeout.
func (c *committer) round(ctx context.Context) {
	if len(c.doubts) > 0 && !c.notBefore.After(time.Now()) && !c.clearDoubts(ctx) {
		return
	}
	for _, slots := range c.groups(c.due()) {
		if len(slots) == 0 || !c.attempt(context.WithoutCancel(ctx), slots) {
			return
		}
	}
}

// attempt makes one insert. It is false when the store may be away.
func (c *committer) attempt(ctx context.Context, due []*slot) bool {
	limit := c.o.StoreTimeout
	if r := due[0].room; r.alone > 0 && c.inserted.After(r.since) {
		limit = min(limit, failingWait)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	ready, err := c.prepare(ctx, due)
	if err != nil {
		return c.failed(ready, false, err)
	}
	if len(ready) == 0 {
		return true
	}
	batch := c.number(ready)
	slots := ready[:len(batch)]
	began, started := c.memory.Moment(), time.Now()
	c.outage.began(started)
	c.metrics.inserts(slots)
	span := c.tracing.begin(slots, started)
	stored, err := c.store.Append(ctx, batch)
	span.end(stored, err)
	c.metrics.inserted(len(batch), time.Since(started), span.spanContext())
	if err != nil && !isTaken(err) {
		return c.failed(slots, true, err)
	}
	c.memory.Stored(began, batch[:stored])
	c.settle(slots, batch, stored, err)
	return true
}

// due drops the slots that everyone has left, and returns those whose turn it
// is. Rooms that just collided go last, since an insert ends at its first
// failure; within a room the order is that of arrival.
func (c *committer) due() []*slot {
	c.pending = slices.DeleteFunc(c.pending, func(s *slot) bool {
		if !s.left() {
			return false
		}
		if s.lookUp {
			c.doubt(s.room)
		}
		c.free(s)
		return true
	})
	now := time.Now()
	if c.notBefore.After(now) {
		return nil
	}
	due := make([]*slot, 0, len(c.pending))
	for _, s := range c.pending {
		if !s.room.notBefore.After(now) {
			due = append(due, s)
		}
	}
	slices.SortStableFunc(due, func(a, b *slot) int { return min(a.room.collisions, 1) - min(b.room.collisions, 1) })
	return due
}

// prepare answers the slots that turn out to be stored, reads the tails that
// are not known, and returns the slots that are left, also with an error.
func (c *committer) prepare(ctx context.Context, due []*slot) ([]*slot, error) {
	due, err := c.lookUp(ctx, due)
	if err != nil {
		return due, err
	}
	var unknown []string
	asked := make(map[*room]bool)
	for _, s := range due {
		if !s.room.known && !asked[s.room] {
			asked[s.room] = true
			unknown = append(unknown, s.room.id)
		}
	}
	if len(unknown) == 0 {
		return due, nil
	}
	c.outage.began(time.Now())
	tails, err := c.store.Tails(ctx, unknown)
	if err != nil {
		return due, fmt.Errorf("read tails: %w", err)
	}
	c.outage.answered()
	for r := range asked {
		r.tail, r.known = tails[r.id], true // zero: nothing is stored yet
	}
	return due, nil
}

func (c *committer) lookUp(ctx context.Context, due []*slot) ([]*slot, error) {
	var keys []Key
	for _, s := range due {
		if s.lookUp {
			keys = append(keys, s.record.Key())
		}
	}
	if len(keys) == 0 {
		return due, nil
	}
	c.outage.began(time.Now())
	found, err := c.store.ByClientID(ctx, keys)
	if err != nil {
		return due, fmt.Errorf("look client ids up: %w", err)
	}
	c.outage.answered()
	done := make(map[*slot]bool, len(found))
	for _, s := range due {
		if !s.lookUp {
			continue
		}
		s.lookUp = false
		stored, ok := found[s.record.Key()]
		if !ok {
			continue
		}
		done[s] = true
		c.metrics.duplicates.Inc()
		if stored.Seq > s.room.tail {
			s.room.forget()
		}
		c.resolve(s, stored)
		c.oweHead(s.room, stored.Seq)
	}
	c.remove(done)
	return slices.DeleteFunc(due, func(s *slot) bool { return done[s] }), nil
}

// number gives seqs and times to as many of the slots as one insert may hold.
func (c *committer) number(due []*slot) []Record {
	now := contract.NewTime(c.o.Now())
	next := make(map[*room]int64)
	batch := make([]Record, 0, min(len(due), c.o.BatchDocs))
	size := 0
	for _, s := range due {
		size += s.record.Size()
		if len(batch) == c.o.BatchDocs || size > c.o.BatchBytes && len(batch) > 0 {
			break
		}
		if next[s.room] == 0 {
			next[s.room] = s.room.tail
		}
		next[s.room]++
		r := s.record
		r.Seq, r.SentAt = next[s.room], now
		batch = append(batch, r)
	}
	return batch
}

// settle publishes and answers what is stored, and draws the conclusions from
// what is not, because something was taken.
func (c *committer) settle(slots []*slot, batch []Record, stored int, err error) {
	if c.outage.inserted() {
		c.log.Info("the store takes messages again")
	}
	now := time.Now()
	c.inserted = now
	done := make(map[*slot]bool, stored)
	for i, r := range batch[:stored] {
		s := slots[i]
		s.room.tail, s.room.collisions = r.Seq, 0
		s.room.failing = failing{}
		c.rooms.spoke(s.room, r.Seq, now.Add(c.o.QuietAfter))
		c.out.Message(s.context(), r.Message)
		c.resolve(s, r)
		done[s] = true
	}
	c.remove(done)
	if err == nil {
		return
	}
	c.metrics.collisions.Inc()
	refused := slots[stored]
	refused.lookUp = true
	refused.room.collide(now)
	if errors.Is(err, ErrSeqTaken) {
		refused.room.forget()
		for _, s := range slots[stored:] {
			s.lookUp = s.lookUp || s.room == refused.room
		}
	}
}

// isTaken reports whether an insert ended at a record that stands in the way,
// so that it is known what is stored.
func isTaken(err error) bool { return errors.Is(err, ErrSeqTaken) || errors.Is(err, ErrClientIDTaken) }

// failed notes that a call for the slots failed. If messages were in it, the
// store did not say what became of them: they may be stored, or be stored later,
// so neither tails nor client_ids can be trusted. It is false when the failure
// may be the whole store's.
func (c *committer) failed(slots []*slot, inserted bool, err error) bool {
	c.metrics.unknown.Inc()
	rooms := roomsOf(slots)
	c.log.Warn("the store did not confirm messages", "messages", len(slots), "rooms", len(rooms), "room_id", rooms[0].id, "err", err)
	if inserted {
		for _, s := range slots {
			s.lookUp = true
			s.room.forget()
		}
	}
	theirs := c.separate(rooms)
	if theirs {
		c.outage.ended()
	} else {
		c.storeFailed(rooms, err)
	}
	// Only now: a sender who is refused finds the service not ready.
	if len(rooms) == 1 && (theirs || !isWhole(err)) {
		c.failAlone(rooms[0], time.Now(), err)
	}
	return theirs
}

func (c *committer) remove(done map[*slot]bool) {
	if len(done) > 0 {
		c.pending = slices.DeleteFunc(c.pending, func(s *slot) bool { return done[s] })
	}
}
