package gateway

import (
	"slices"
	"time"
)

// turnSlack is how much of a turn may be caught up at once after a stall; the
// rest of the turn moves on in time.
const turnSlack = time.Second

// turn goes through all users once an interval, evenly: the cost of reading
// everyone's rooms is a trickle instead of a wave once a minute. It is used by
// one goroutine.
type turn struct {
	interval time.Duration
	users    func() []string // who is here now

	left []string      // of this turn, in the order of their ids: everyone's times are an interval apart
	step time.Duration // from one to the next
	at   time.Time     // when the next is due, or the next turn begins
}

func newTurn(interval time.Duration, users func() []string) *turn {
	return &turn{interval: interval, users: users}
}

// due returns the next user whose time has come; or else none, and how long
// that takes. Who comes after a turn has begun is in the next.
func (t *turn) due(now time.Time) (userID string, wait time.Duration) {
	if wait := t.at.Sub(now); wait > 0 {
		return "", wait
	}
	if len(t.left) == 0 {
		t.left = t.users()
		if len(t.left) == 0 {
			t.at = now.Add(t.interval)
			return "", t.interval
		}
		slices.Sort(t.left)
		t.step = t.interval / time.Duration(len(t.left))
	}
	userID, t.left = t.left[0], t.left[1:]
	switch late := now.Add(-turnSlack); {
	case t.at.IsZero(): // the first of all
		t.at = now
	case t.at.Before(late):
		t.at = late
	}
	t.at = t.at.Add(t.step)
	return userID, 0
}
