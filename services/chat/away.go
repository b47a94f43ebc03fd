package chat

import (
	"context"
	"fmt"
	"time"
)

// storeFailed pauses all calls of the store. Once it is away, nobody is kept
// waiting for it.
func (c *committer) storeFailed(cause error) {
	now := time.Now()
	pause, away, news := c.outage.failed(now, cause)
	c.notBefore = now.Add(pause)
	if news {
		c.log.Warn("the store is away: sends are refused", "err", cause)
	}
	if !away {
		return
	}
	for _, s := range c.pending {
		// Also of those that were not tried: there must be a room to ask for.
		c.doubt(s.room)
		c.free(s)
		for _, w := range s.sends {
			c.refuse(w)
		}
	}
	clear(c.pending)
	c.pending = c.pending[:0]
}

// refuse answers a send that the store would have to be asked for.
func (c *committer) refuse(s *send) {
	c.metrics.away.Inc()
	s.answer(answer{err: storeAway(c.outage.refusal(time.Now()))})
}

// maxDoubts bounds the rooms in doubt; of any more the gateways announce the
// heads, once a minute.
const maxDoubts = 10_000

// doubt notes that nobody waits any more for a message of the room that may
// be stored, or be stored yet: if it is, no one was told. The room's head is
// read once the store answers, and announced.
func (c *committer) doubt(r *room) {
	if len(c.doubts) < maxDoubts {
		c.doubts[r.id] = struct{}{}
	}
}

// clearDoubts reads the heads of rooms in doubt, of as many as one insert has
// messages. While the store is away this is also what finds that it is back:
// a cheap read, under the same pauses as inserts. It is false when the store
// does not answer.
func (c *committer) clearDoubts(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, c.o.StoreTimeout)
	defer cancel()
	rooms := make([]string, 0, min(len(c.doubts), c.o.BatchDocs))
	for id := range c.doubts {
		if rooms = append(rooms, id); len(rooms) == cap(rooms) {
			break
		}
	}
	c.outage.began(time.Now())
	tails, err := c.store.Tails(ctx, rooms)
	if err != nil {
		c.storeFailed(fmt.Errorf("read tails: %w", err))
		return false
	}
	c.outage.answered()
	for _, id := range rooms {
		delete(c.doubts, id)
		r, active := c.rooms.byID[id]
		if tail := tails[id]; tail > 0 && (!active || tail > r.last) {
			c.out.Head(id, tail)
		}
	}
	return true
}
