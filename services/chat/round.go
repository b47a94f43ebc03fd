package chat

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/parley-im/parley/pkg/contract"
)

// round makes one attempt to insert what waits. One that has begun is finished
// when ctx ends, under its own timeout.
func (c *committer) round(ctx context.Context) {
	if len(c.doubts) > 0 && !c.notBefore.After(time.Now()) && !c.clearDoubts(ctx) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.o.StoreTimeout)
	defer cancel()
	due := c.due()
	if len(due) == 0 {
		return
	}
	due, err := c.prepare(ctx, due)
	if err != nil {
		c.failed(nil, err)
		return
	}
	if len(due) == 0 {
		return
	}
	batch := c.number(due)
	began, started := c.memory.Moment(), time.Now()
	c.outage.began(started)
	c.metrics.inserts(due[:len(batch)])
	span := c.tracing.begin(due[:len(batch)], started)
	stored, err := c.store.Append(ctx, batch)
	span.end(stored, err)
	c.metrics.inserted(len(batch), time.Since(started), span.spanContext())
	if err == nil || isTaken(err) {
		c.memory.Stored(began, batch[:stored])
	}
	c.settle(due[:len(batch)], batch, stored, err)
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
// are not known, and returns the slots that are left.
func (c *committer) prepare(ctx context.Context, due []*slot) ([]*slot, error) {
	due, err := c.lookUp(ctx, due)
	if err != nil {
		return nil, err
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
		return nil, fmt.Errorf("read tails: %w", err)
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
		return nil, fmt.Errorf("look client ids up: %w", err)
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
// what is not.
func (c *committer) settle(slots []*slot, batch []Record, stored int, err error) {
	taken := isTaken(err)
	if err != nil && !taken {
		c.failed(slots, err)
		return
	}
	if c.outage.inserted() {
		c.log.Info("the store takes messages again")
	}
	now := time.Now()
	done := make(map[*slot]bool, stored)
	for i, r := range batch[:stored] {
		s := slots[i]
		s.room.tail, s.room.collisions = r.Seq, 0
		c.rooms.spoke(s.room, r.Seq, now.Add(c.o.QuietAfter))
		c.out.Message(s.context(), r.Message)
		c.resolve(s, r)
		done[s] = true
	}
	c.remove(done)
	if !taken {
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

// failed notes that the store did not say what became of the slots: they may
// be stored, or be stored later, so neither tails nor client_ids can be
// trusted.
func (c *committer) failed(slots []*slot, err error) {
	c.metrics.unknown.Inc()
	c.log.Warn("the store did not confirm messages", "messages", len(slots), "err", err)
	for _, s := range slots {
		s.lookUp = true
		s.room.forget()
	}
	c.storeFailed(err)
}

func (c *committer) remove(done map[*slot]bool) {
	if len(done) > 0 {
		c.pending = slices.DeleteFunc(c.pending, func(s *slot) bool { return done[s] })
	}
}
