package client

import (
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"github.com/parley-im/parley/pkg/contract"
)

// stream makes, of what gateways push and what is fetched, the events that
// Next passes on: the messages of each room once, in order, without gaps.
//
// What has come and what waits is bounded. A message for which there is no
// room is forgotten: its room is then behind, and fetches it later.
type stream struct {
	o     Options
	log   *slog.Logger
	stats *statistics

	mu       sync.Mutex
	userID   string
	rooms    map[string]*room
	behind   map[string]*room // those with something missing
	stored   map[string]int64 // cursors of rooms that have not been heard of yet
	started  bool             // a ready frame has come
	queue    []Event          // waits to be taken
	messages int              // of which are messages
	early    int              // messages held back in all rooms
	reserved int              // messages being fetched
	lagged   bool
	moved    map[string]int64 // cursors to be saved
	inHand   *Message         // taken, and not yet handled

	some chan struct{} // holds one: there is an event to take
	work chan struct{} // holds one: something may be due to be fetched
}

func newStream(o Options, stored map[string]int64, stats *statistics) *stream {
	if stored == nil {
		stored = map[string]int64{}
	}
	return &stream{
		o: o, log: o.Log, stats: stats,
		rooms: map[string]*room{}, behind: map[string]*room{}, stored: stored, moved: map[string]int64{},
		some: make(chan struct{}, 1), work: make(chan struct{}, 1),
	}
}

// ready takes in where the rooms stand, after each connect.
func (s *stream) ready(gateway string, d contract.ReadyData) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.userID = d.UserID
	listed := make(map[string]bool, len(d.Rooms))
	for _, head := range d.Rooms {
		listed[head.ID] = true
		s.stands(head.ID, head.FirstSeq, head.LastSeq, !s.started && !s.o.FromFirst)
	}
	for id, r := range s.rooms {
		if !listed[id] {
			s.leave(r)
		}
	}
	s.started = true
	s.emit(&Connected{ReadyData: d, Gateway: gateway})
}

// lost tells of the connection's end.
func (s *stream) lost(why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.emit(&Disconnected{Err: why})
}

// stands notes where a room of the user's begins and ends. What is missing is
// fetched at once.
func (s *stream) stands(id string, first, last int64, fromHead bool) {
	r, known := s.rooms[id]
	if !known {
		_, hasCursor := s.stored[id]
		r = s.open(id)
		if fromHead && !hasCursor {
			r.jump(last)
			s.moved[id] = last // a restart goes on from here
		}
	}
	r.gone = false
	s.early -= r.begin(first)
	r.heard(last)
	r.failures = 0
	s.look(r, 0)
}

// open adds a room, at its stored cursor or before its first message.
func (s *stream) open(id string) *room {
	r := &room{id: id, cursor: s.stored[id]}
	delete(s.stored, id)
	s.rooms[id] = r
	return r
}

// at returns the room, added if it is new.
func (s *stream) at(id string) *room {
	if r, ok := s.rooms[id]; ok {
		return r
	}
	return s.open(id)
}

// leave stops fetching for a room. Its cursor stays: who joins again goes on
// from there.
func (s *stream) leave(r *room) {
	s.early -= len(r.early)
	r.early, r.removed, r.gone = nil, nil, true
	delete(s.behind, r.id)
}

// look has what a room misses fetched after the pause, unless it comes before
// by itself.
func (s *stream) look(r *room, pause time.Duration) {
	if !r.behind() {
		delete(s.behind, r.id)
		return
	}
	if _, waits := s.behind[r.id]; !waits {
		r.dueAt = time.Now().Add(pause)
		s.behind[r.id] = r
	} else if at := time.Now().Add(pause); at.Before(r.dueAt) && r.failures == 0 {
		r.dueAt = at
	}
	signal(s.work)
}

// message takes in a pushed message.
func (s *stream) message(m contract.Message) {
	r := s.at(m.RoomID)
	r.heard(m.Seq)
	switch {
	case r.known(m.Seq):
		s.stats.add(func(t *Stats) { t.Doubled++ })
	case r.gone:
		// The news of leaving, or of joining again, may be late: the range
		// tells which.
		r.gone = false
	case m.Seq == r.cursor+1 && s.free() > 0:
		s.pass(r, m)
		s.advance(r)
	case s.early < s.o.Buffer:
		r.hold(m)
		s.early++
		s.stats.add(func(t *Stats) { t.Early++ })
	}
	s.look(r, s.o.Hold)
}

// removed takes in that a message is gone, and with it that there was one.
func (s *stream) removed(d contract.MessageRemovedData) {
	if r, ok := s.rooms[d.RoomID]; ok {
		r.bury(d, s.o.Buffer)
		s.look(r, s.o.Hold)
	}
	s.emit(&MessageRemoved{d})
}

// pass hands on the message that is next.
func (s *stream) pass(r *room, m contract.Message) {
	if r.drop(m.Seq) {
		s.early-- // it has come both ways
	}
	r.cursor = m.Seq
	s.queue = append(s.queue, &Message{r.seen(m)})
	s.messages++
	s.stats.add(func(t *Stats) { t.Messages++ })
	signal(s.some)
}

// advance passes on what came early and is next now, as far as there is room.
func (s *stream) advance(r *room) {
	for s.free() > 0 {
		m, ok := r.early[r.cursor+1]
		if !ok {
			return
		}
		s.pass(r, m)
	}
}

// free is how many more messages may wait.
func (s *stream) free() int { return s.o.Buffer - s.messages - s.reserved }

// emit hands on an event that is not a message, or notes that it was dropped.
func (s *stream) emit(e Event) {
	if len(s.queue) >= 2*s.o.Buffer {
		s.lagged = true
		return
	}
	s.queue = append(s.queue, e)
	signal(s.some)
}

// take returns the next event, if there is one; the one before has been
// handled.
func (s *stream) take() (Event, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handled()
	if len(s.queue) == 0 {
		if s.lagged {
			s.lagged = false
			return &Lagged{}, true
		}
		return nil, false
	}
	e := s.queue[0]
	s.queue[0] = nil
	if s.queue = s.queue[1:]; len(s.queue) > 0 {
		signal(s.some)
	}
	if m, ok := e.(*Message); ok {
		s.inHand = m
		if s.messages--; len(s.behind) > 0 {
			signal(s.work) // there is room again
		}
	}
	return e, true
}

// handled counts the message in hand as done.
func (s *stream) handled() {
	if s.inHand != nil {
		s.moved[s.inHand.RoomID] = max(s.moved[s.inHand.RoomID], s.inHand.Seq)
		s.inHand = nil
	}
}

// progress returns the cursors that have moved since the last call.
func (s *stream) progress() map[string]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	moved := s.moved
	s.moved = map[string]int64{}
	return moved
}

// unsaved gives back cursors that could not be saved.
func (s *stream) unsaved(moved map[string]int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, seq := range moved {
		s.moved[id] = max(s.moved[id], seq)
	}
}

// push takes in what a gateway tells. What is not understood, of a newer
// gateway perhaps, is left out.
func (s *stream) push(op contract.Op, data json.RawMessage) {
	take, ok := pushes[op]
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := take(s, data); err != nil {
		s.log.Warn("a push that is not understood", slog.String("op", string(op)), slog.Any("error", err))
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
