package gateway

import (
	"slices"
	"sync"

	"github.com/nats-io/nats.go"

	"github.com/parley-im/parley/pkg/contract"
)

// localRoom is a room with members connected to this gateway. It holds the
// one subscription to the room's pushes.
type localRoom struct {
	sub   *nats.Subscription
	live  chan struct{} // closed when the NATS server knows the subscription
	conns roster
	rev   int64 // the highest that a push carried
	head  int64 // the highest that was announced here
}

// roomShard owns a part of the rooms and the one goroutine that delivers
// their pushes, so that a room's pushes stay in order.
type roomShard struct {
	pushes chan *nats.Msg

	mu    sync.RWMutex
	rooms map[string]*localRoom
	left  formerMembers
}

// add puts the user's connection into the room at this revision, subscribing
// when it is the first here. It returns the room, and whether the subscription
// is new; no room when the user has left it since.
func (s *roomShard) add(nc *nats.Conn, at roomRev, userID string, c *conn) (*localRoom, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	roomID := at.id
	if s.left.after(roomID, userID, at.rev) {
		return nil, false, nil
	}
	room, ok := s.rooms[roomID]
	if ok {
		room.conns.add(c)
		return room, false, nil
	}
	subject, err := contract.RoomSubjects(roomID)
	if err != nil {
		return nil, false, err
	}
	sub, err := nc.ChanSubscribe(subject, s.pushes)
	if err != nil {
		return nil, false, err
	}
	room = &localRoom{sub: sub, live: make(chan struct{}), conns: roster{list: []*conn{c}}}
	s.rooms[roomID] = room
	return room, true, nil
}

// remove takes the connection out of the room, and drops the subscription
// with the last.
func (s *roomShard) remove(roomID string, c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	room, ok := s.rooms[roomID]
	if !ok {
		return
	}
	room.conns.remove(c)
	if len(room.conns.list) == 0 {
		delete(s.rooms, roomID)
		_ = room.sub.Unsubscribe() // fails only when the connection is closed
	}
}

// conns lists who gets the room's pushes now.
func (s *roomShard) conns(roomID string) []*conn {
	s.mu.RLock()
	defer s.mu.RUnlock()
	room, ok := s.rooms[roomID]
	if !ok {
		return nil
	}
	return room.conns.copied()
}

// push queues the frame for every connection in the room, and starts their
// writers.
func (s *roomShard) push(roomID string, o *outgoing) {
	for _, c := range s.offer(roomID, o, nil, nil) {
		c.startIf(true)
	}
}

// offer queues the frame for every connection in the room except some, and
// appends those whose writers must be started.
func (s *roomShard) offer(roomID string, o *outgoing, except, starts []*conn) []*conn {
	s.mu.RLock()
	defer s.mu.RUnlock()
	room, ok := s.rooms[roomID]
	if !ok {
		return starts
	}
	for _, c := range room.conns.list {
		if len(except) > 0 && slices.Contains(except, c) {
			continue
		}
		o.trail.given()
		if c.offer(o) {
			starts = append(starts, c)
		}
	}
	return starts
}

// depart notes that a user left the room at the revision; all did when userID
// is empty.
func (s *roomShard) depart(roomID, userID string, rev int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left.note(roomID, userID, rev)
	if room, ok := s.rooms[roomID]; ok {
		room.rev = max(room.rev, rev)
	}
}

// saw notes the revision that a push of the room carried.
func (s *roomShard) saw(roomID string, rev int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if room, ok := s.rooms[roomID]; ok {
		room.rev = max(room.rev, rev)
	}
}

// behind reports whether a room's state of that revision is older than what
// has passed here.
func (s *roomShard) behind(roomID string, rev int64) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	room, ok := s.rooms[roomID]
	return ok && rev < room.rev
}

// ahead reports whether the head is news here, and notes it.
func (s *roomShard) ahead(roomID string, head int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	room, ok := s.rooms[roomID]
	if !ok || head <= room.head {
		return false
	}
	room.head = head
	return true
}

// doubt forgets which heads were announced: pushes may have been lost.
func (s *roomShard) doubt() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, room := range s.rooms {
		room.head = 0
	}
}
