package faults

import (
	"slices"
	"sync"
	"time"

	"github.com/parley-im/parley/pkg/contract"
)

// Sent is one message that someone tried to send.
type Sent struct {
	RoomID   string
	SenderID string
	ClientID string
	Text     string
	// Reply is the acknowledgement; nil: there was none, and the message may
	// be stored or not.
	Reply *contract.SendReply
	Took  time.Duration // from the first try to the acknowledgement
}

// Received is what one device of a user was given, in that order.
type Received struct {
	Device string
	UserID string
	Rooms  map[string][]contract.Message
}

// Ledger notes, while a run lasts, what was sent and what was received. Its
// zero value is ready to use.
type Ledger struct {
	mu       sync.Mutex
	sent     []*Sent
	waiting  int // sends without an answer
	received map[string]*Received
}

// Try notes a send before it is tried. The message is the ledger's from now
// on; Ack is the only way to change it.
func (l *Ledger) Try(s Sent) *Sent {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent = append(l.sent, &s)
	l.waiting++
	return &s
}

// Ack notes how a send ended; nil for a reply: nobody knows.
func (l *Ledger) Ack(s *Sent, reply *contract.SendReply, took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.Reply, s.Took = reply, took
	l.waiting--
}

// Receive notes a message that a device was given.
func (l *Ledger) Receive(device, userID string, m contract.Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.received == nil {
		l.received = map[string]*Received{}
	}
	r, ok := l.received[device]
	if !ok {
		r = &Received{Device: device, UserID: userID, Rooms: map[string][]contract.Message{}}
		l.received[device] = r
	}
	r.Rooms[m.RoomID] = append(r.Rooms[m.RoomID], m)
}

// Last is the seq of the last message that a device was given in a room.
func (l *Ledger) Last(device, roomID string) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	r, ok := l.received[device]
	if !ok || len(r.Rooms[roomID]) == 0 {
		return 0
	}
	list := r.Rooms[roomID]
	return list[len(list)-1].Seq
}

// Waiting is how many sends have no answer yet.
func (l *Ledger) Waiting() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.waiting
}

// Sent returns a copy of what was sent so far.
func (l *Ledger) Sent() []Sent {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := make([]Sent, len(l.sent))
	for i, s := range l.sent {
		list[i] = *s
	}
	return list
}

// Received returns a copy of what was received so far. A device without any
// message is not in it.
func (l *Ledger) Received() []Received {
	l.mu.Lock()
	defer l.mu.Unlock()
	var list []Received
	for _, r := range l.received {
		rooms := make(map[string][]contract.Message, len(r.Rooms))
		for id, messages := range r.Rooms {
			rooms[id] = slices.Clone(messages)
		}
		list = append(list, Received{r.Device, r.UserID, rooms})
	}
	return list
}
