package chat

import (
	"container/list"
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
)

// MembershipOptions are the bounds of [Memberships]; all must be positive.
type MembershipOptions struct {
	TTL     time.Duration // a membership counts so long after it was asked for
	Max     int           // memberships kept
	Timeout time.Duration // of one question to social
	Now     func() time.Time
}

// Memberships knows who may do what in which room. It asks social, and keeps
// what allows something for a short while, until it hears of a newer revision
// of the room. What refuses is never taken from memory: who has just joined
// is let in at once.
type Memberships struct {
	ask   AskMembership
	o     MembershipOptions
	ticks atomic.Uint64 // orders questions, requests and changes

	mu      sync.Mutex
	rooms   map[string]*knownRoom // those with members kept or questions open
	order   *list.List            // *membership, as kept: the oldest first
	dropped uint64                // tick of the last DropAll
}

// AskMembership asks social about one user in one room.
type AskMembership func(ctx context.Context, roomID, userID string) (contract.MembershipReply, error)

// knownRoom is what is kept of one room.
type knownRoom struct {
	members map[string]*membership // by user
	asking  map[string]*question   // by user: those that others may join
	open    int                    // questions to social under way
	floor   int64                  // the newest revision heard of while any of it is kept
	changed uint64                 // tick of the last change
}

// question is one to social, on its way.
type question struct {
	done   chan struct{} // closed when the rest is set
	answer *membership
	err    error
}

// membership is an answer of social's.
type membership struct {
	roomID, userID string
	reply          contract.MembershipReply
	asked          uint64    // tick
	at             time.Time // of asking: what it says was true then
	outdated       bool      // while it was asked for, a newer revision became known
}

// NewMemberships returns an empty memory in front of ask.
func NewMemberships(ask AskMembership, o MembershipOptions) *Memberships {
	return &Memberships{ask: ask, o: o, rooms: make(map[string]*knownRoom), order: list.New()}
}

// Member returns the user's place in the room. It is NotFound for whoever is
// no member, and what allow says otherwise; a nil allow allows every member.
func (m *Memberships) Member(ctx context.Context, roomID, userID string, allow func(contract.Membership) error) (contract.Membership, error) {
	reply, err := m.Place(ctx, roomID, userID, allow)
	return reply.Membership, err
}

// Place is Member with all that social says, how many members there are too.
func (m *Memberships) Place(ctx context.Context, roomID, userID string, allow func(contract.Membership) error) (contract.MembershipReply, error) {
	arrived := m.ticks.Add(1)
	found := m.recall(roomID, userID)
	for {
		if found == nil {
			var err error
			if found, err = m.fetch(ctx, roomID, userID); err != nil {
				return contract.MembershipReply{}, err
			}
		}
		err := judge(found.reply, allow)
		// A refusal counts only if it was asked for after this request came:
		// neither one from memory nor one from a question that was under way.
		if err != nil && found.asked > arrived || err == nil && !found.outdated {
			return found.reply, err
		}
		found = nil
	}
}

// Allows reports whether memory says that the user is a member whom allow
// allows. When it does not, Member knows.
func (m *Memberships) Allows(roomID, userID string, allow func(contract.Membership) error) bool {
	found := m.recall(roomID, userID)
	return found != nil && judge(found.reply, allow) == nil
}

func judge(reply contract.MembershipReply, allow func(contract.Membership) error) error {
	switch {
	case !reply.Member:
		return errNoRoom
	case allow == nil:
		return nil
	default:
		return allow(reply.Membership)
	}
}

var errNoRoom = fault.New(fault.NotFound, "there is no such room")

// Changed drops what is older than the room's new revision. Questions that are
// under way answer nobody who asks from now on.
func (m *Memberships) Changed(roomID string, rev int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.rooms[roomID]
	if !ok {
		return // whatever is asked from now on sees the revision
	}
	r.floor, r.changed = max(r.floor, rev), m.ticks.Add(1)
	clear(r.asking)
	for user, kept := range r.members {
		if kept.reply.Membership.Rev < r.floor {
			delete(r.members, user)
		}
	}
	m.tidy(roomID, r)
}

// DropAll forgets everything, also what is being asked for: revisions may
// have been missed. Questions that are under way answer nobody who asks from
// now on.
func (m *Memberships) DropAll() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dropped = m.ticks.Add(1)
	m.order.Init()
	for id, r := range m.rooms {
		clear(r.members)
		clear(r.asking)
		m.tidy(id, r)
	}
}

// recall returns what is kept and still counts, or nil.
func (m *Memberships) recall(roomID, userID string) *membership {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.rooms[roomID]
	if !ok {
		return nil
	}
	kept, ok := r.members[userID]
	if !ok || m.o.Now().Sub(kept.at) >= m.o.TTL {
		return nil
	}
	return kept
}

// fetch asks social, together with others who ask the same at this moment.
func (m *Memberships) fetch(ctx context.Context, roomID, userID string) (*membership, error) {
	q := m.join(ctx, roomID, userID)
	select {
	case <-q.done:
		return q.answer, q.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// join returns the question that is under way, or a new one.
func (m *Memberships) join(ctx context.Context, roomID, userID string) *question {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.rooms[roomID]
	if !ok {
		r = &knownRoom{members: make(map[string]*membership), asking: make(map[string]*question)}
		m.rooms[roomID] = r
	}
	if q, ok := r.asking[userID]; ok {
		return q
	}
	q := &question{
		done:   make(chan struct{}),
		answer: &membership{roomID: roomID, userID: userID, asked: m.ticks.Add(1), at: m.o.Now()},
	}
	r.asking[userID] = q
	r.open++
	// Ended by its timeout; as many as there are requests at most. One caller who
	// leaves does not take it from others.
	go m.run(context.WithoutCancel(ctx), r, q)
	return q
}

func (m *Memberships) run(ctx context.Context, r *knownRoom, q *question) {
	ctx, cancel := context.WithTimeout(ctx, m.o.Timeout)
	defer cancel()
	answer := q.answer
	answer.reply, q.err = m.ask(ctx, answer.roomID, answer.userID)

	m.mu.Lock()
	defer m.mu.Unlock()
	defer close(q.done)
	r.open--
	if r.asking[answer.userID] == q {
		delete(r.asking, answer.userID)
	}
	old := answer.reply.Membership.Rev < r.floor
	// What was asked for after a change counts, whatever its revision.
	answer.outdated = answer.asked < m.dropped || old && answer.asked < r.changed
	if q.err == nil && answer.reply.Member && !answer.outdated && !old {
		m.keep(r, answer)
	}
	m.tidy(answer.roomID, r)
}

// keep remembers the answer, and forgets the oldest ones that have run out or
// are too many.
func (m *Memberships) keep(r *knownRoom, answer *membership) {
	r.members[answer.userID] = answer
	m.order.PushBack(answer)
	for e := m.order.Front(); e != nil; e = m.order.Front() {
		old := e.Value.(*membership)
		if m.order.Len() <= m.o.Max && answer.at.Sub(old.at) < m.o.TTL {
			return
		}
		m.order.Remove(e)
		if room, ok := m.rooms[old.roomID]; ok && room.members[old.userID] == old {
			delete(room.members, old.userID)
			m.tidy(old.roomID, room)
		}
	}
}

// tidy forgets a room of which nothing is kept and nothing asked.
func (m *Memberships) tidy(roomID string, r *knownRoom) {
	if r.open == 0 && len(r.members) == 0 && m.rooms[roomID] == r {
		delete(m.rooms, roomID)
	}
}
