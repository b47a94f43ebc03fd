package chat

import (
	"container/list"
	"math/rand/v2"
	"time"
)

// room is what a committer knows of a room that is written to.
type room struct {
	id string
	// tail is the last seq that is committed for good, while known. One that
	// is too low costs a collision; one that is too high would leave a hole
	// after a failover, so it comes only from a finished Append or a read.
	tail  int64
	known bool

	slots      int       // messages that wait to be inserted
	collisions int       // in a row
	notBefore  time.Time // of the next insert, after collisions and failures
	failing              // why it is inserted apart from other rooms

	last    int64     // highest seq that was published here
	quietAt time.Time // when its head is announced

	used, quiet *list.Element // in activeRooms; quiet is nil when no head is owed
}

// forget makes the committer read the tail before it inserts again.
func (r *room) forget() { r.known = false }

// maxCollisionPause bounds the pause of a room that another replica writes
// too. It is short: the other has the advantage while this one pauses.
const maxCollisionPause = 8 * time.Millisecond

// collide notes that another message stood in the way. From the third time in
// a row on there is a pause, in which what stood there becomes visible if it
// was not yet committed by a majority.
func (r *room) collide(now time.Time) {
	r.collisions++
	if r.collisions > 2 {
		pause := min(time.Millisecond<<min(r.collisions-2, 10), maxCollisionPause)
		r.notBefore = now.Add(rand.N(pause))
	}
}

// activeRooms holds the rooms of one committer, at most max beside those that
// have messages waiting.
type activeRooms struct {
	max   int
	byID  map[string]*room
	used  *list.List // *room, the longest unused first
	quiet *list.List // *room whose head is owed, the longest quiet first
}

func newActiveRooms(limit int) *activeRooms {
	return &activeRooms{max: limit, byID: make(map[string]*room), used: list.New(), quiet: list.New()}
}

// get returns the room, known or new, as the last used one.
func (a *activeRooms) get(id string) *room {
	r, ok := a.byID[id]
	if ok {
		a.used.MoveToBack(r.used)
		return r
	}
	r = &room{id: id}
	r.used = a.used.PushBack(r)
	a.byID[id] = r
	return r
}

// spoke notes that a message was published; its room's head is owed at the
// given time, which never lies before that of an earlier call.
func (a *activeRooms) spoke(r *room, seq int64, quietAt time.Time) {
	r.last, r.quietAt = seq, quietAt
	if r.quiet == nil {
		r.quiet = a.quiet.PushBack(r)
		return
	}
	a.quiet.MoveToBack(r.quiet)
}

// nextQuiet returns the room whose head is owed first, or nil.
func (a *activeRooms) nextQuiet() *room {
	if e := a.quiet.Front(); e != nil {
		return e.Value.(*room)
	}
	return nil
}

// announced notes that the room's head is no longer owed.
func (a *activeRooms) announced(r *room) {
	if r.quiet != nil {
		a.quiet.Remove(r.quiet)
		r.quiet = nil
	}
}

// evict forgets the longest unused rooms beyond the limit, and hands those
// whose head is owed to announce.
func (a *activeRooms) evict(announce func(*room)) {
	for e := a.used.Front(); e != nil && len(a.byID) > a.max; {
		r, next := e.Value.(*room), e.Next()
		if r.slots == 0 {
			if r.quiet != nil {
				announce(r)
				a.announced(r)
			}
			a.used.Remove(e)
			delete(a.byID, r.id)
		}
		e = next
	}
}
