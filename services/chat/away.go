package chat

import (
	"context"
	"fmt"
	"time"
)

// storeFailed pauses all calls of the store. Once it is away, nobody is kept
// waiting for it. The rooms are those of the call; none: any may fail so.
func (c *committer) storeFailed(rooms []*room, cause error) {
	now := time.Now()
	pause, away, news := c.outage.failed(now, cause, rooms...)
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
			c.refuse(w, cause)
		}
	}
	clear(c.pending)
	c.pending = c.pending[:0]
}

// refuse answers a send that the store would have to be asked for.
func (c *committer) refuse(s *send, cause error) {
	c.metrics.away.Inc()
	s.answer(answer{err: storeAway(cause)})
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
// a cheap read, under the same pauses as inserts. After a failure the next read
// has half of the rooms, so that one of them that can't be read leaves the others
// alone; one by itself is left to the gateways. It is false when the store does
// not answer.
func (c *committer) clearDoubts(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, c.o.StoreTimeout)
	defer cancel()
	rooms := make([]string, 0, min(len(c.doubts), c.doubtful))
	for id := range c.doubts {
		if rooms = append(rooms, id); len(rooms) == cap(rooms) {
			break
		}
	}
	c.outage.began(time.Now())
	tails, err := c.store.Tails(ctx, rooms)
	if err != nil {
		c.doubtful = max(1, len(rooms)/2)
		err = fmt.Errorf("read tails: %w", err)
		if isWhole(err) || c.outage.away() {
			c.storeFailed(nil, err)
			return false
		}
		c.outage.ended()
		if len(rooms) == 1 {
			c.log.Warn("the head of a room can't be read", "room_id", rooms[0], "err", err)
			delete(c.doubts, rooms[0])
		}
		return true
	}
	c.doubtful = min(2*c.doubtful, c.o.BatchDocs)
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
