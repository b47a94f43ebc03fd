package chat

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/probe"
)

const (
	// maxRoomPause is the longest pause of a room of which every insert fails.
	maxRoomPause = 5 * time.Second
	// failingWait bounds an attempt on a room that fails while others do not:
	// less than stalledAfter, since others wait for it.
	failingWait = 1500 * time.Millisecond
)

// failing is what a committer has seen of calls that failed with a room in them,
// since the room's last insert that succeeded.
type failing struct {
	group int       // rooms with the same number are inserted together; 0: no call failed
	calls int       // that failed, with any rooms
	since time.Time // of the first
	alone int       // calls that failed with this room only
	first time.Time // of those
	cause error     // of the last of those
}

// refusal is why no send to the room should wait now, or nil: it fails by
// itself, has done so for a while, and its next attempt is not due yet.
func (r *room) refusal(now time.Time) error {
	if r.alone == 0 || now.Sub(r.first) < awayAfter || !r.notBefore.After(now) {
		return nil
	}
	return r.cause
}

// fail notes a call that failed with the room in it.
func (r *room) fail(now time.Time) {
	if r.calls++; r.since.IsZero() {
		r.since = now
	}
}

// failAlone notes that no other room was in the call, and sets a pause.
func (r *room) failAlone(now time.Time, cause error) {
	if r.alone++; r.first.IsZero() {
		r.first = now
	}
	r.cause = cause
	pause := min(5*time.Millisecond<<min(r.alone, 12), maxRoomPause)
	r.notBefore = now.Add(pause/2 + rand.N(pause/2))
}

// isWhole reports whether a failure says something of the whole store: that it
// did not answer, or that it can't. Any other may be of one room, such as a
// damaged page.
func isWhole(err error) bool {
	if errors.Is(err, probe.ErrDamaged) {
		return false
	}
	return fault.Is(err, fault.Unavailable) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// groups puts slots apart that must not be in one insert: those of rooms of which
// calls failed are inserted in smaller and smaller groups, until the room that
// fails is by itself. Groups that failed least come first.
func (c *committer) groups(due []*slot) [][]*slot {
	if !slices.ContainsFunc(due, func(s *slot) bool { return s.room.group != 0 }) {
		return [][]*slot{due}
	}
	byGroup := make(map[int][]*slot)
	for _, s := range due {
		byGroup[s.room.group] = append(byGroup[s.room.group], s)
	}
	groups := make([][]*slot, 0, len(byGroup))
	for _, slots := range byGroup {
		groups = append(groups, slots)
	}
	slices.SortFunc(groups, func(a, b []*slot) int {
		return cmp.Or(cmp.Compare(a[0].room.calls, b[0].room.calls), cmp.Compare(a[0].room.group, b[0].room.group))
	})
	return groups
}

// separate puts the rooms of a call that failed into two groups. It reports whether
// the failure is theirs: others were inserted since they began to fail.
func (c *committer) separate(rooms []*room) (theirs bool) {
	now := time.Now()
	theirs = true
	half := (len(rooms) + 1) / 2
	for i, r := range rooms {
		if i == 0 || i == half {
			c.nextGroup++
		}
		r.group = c.nextGroup
		r.fail(now)
		theirs = theirs && c.inserted.After(r.since)
	}
	return theirs
}

// failAlone sets a pause for the only room of a call that failed, and refuses all
// its waiting messages once it has failed for a while.
func (c *committer) failAlone(r *room, now time.Time, cause error) {
	r.failAlone(now, cause)
	if r.refusal(now) == nil {
		return
	}
	c.log.Warn("messages of a room can't be stored: sends to it are refused", "room_id", r.id, "attempts", r.alone)
	c.doubt(r)
	c.pending = slices.DeleteFunc(c.pending, func(s *slot) bool {
		if s.room != r {
			return false
		}
		c.free(s)
		for _, w := range s.sends {
			c.refuse(w, cause)
		}
		return true
	})
}

// held are the messages that wait in rooms that fail by themselves: they take no
// place from others.
func (c *committer) held() (n int) {
	for _, s := range c.pending {
		if s.room.alone > 0 {
			n++
		}
	}
	return n
}

// roomsOf are the slots' rooms, each once.
func roomsOf(slots []*slot) (rooms []*room) {
	seen := make(map[*room]bool)
	for _, s := range slots {
		if !seen[s.room] {
			seen[s.room] = true
			rooms = append(rooms, s.room)
		}
	}
	return rooms
}
