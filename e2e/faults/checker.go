package faults

import (
	"fmt"

	"github.com/parley-im/parley/pkg/contract"
)

// Room is what is known of a room at the end.
type Room struct {
	ID     string
	Stored []contract.Message // the whole log, in the order of the store
	// Members must have everything from their first seq on, on each of their
	// devices.
	Members map[string]int64
	// Loose rooms had members come and go at any time: what their devices
	// have must be right, but may be incomplete.
	Loose bool
}

// Evidence is what a run compares: what was acknowledged to senders, what is
// stored, and what each device received.
type Evidence struct {
	Sent     []Sent
	Rooms    []Room
	Devices  map[string][]string // of each user who listened: all must have received
	Received []Received
}

// Findings are what is wrong, a line each; all empty is what is required.
type Findings struct {
	Lost      []string `json:"lost"`      // acknowledged, but not stored so
	Missing   []string `json:"missing"`   // stored, but not at a member's device
	Doubled   []string `json:"doubled"`   // stored or received twice
	Holes     []string `json:"holes"`     // a log that is not 1…n
	Reordered []string `json:"reordered"` // received out of order
	Wrong     []string `json:"wrong"`     // stored or received, but never said so
}

// None reports whether nothing was found.
func (f *Findings) None() bool {
	return len(f.Lost)+len(f.Missing)+len(f.Doubled)+len(f.Holes)+len(f.Reordered)+len(f.Wrong) == 0
}

func note(list *[]string, format string, args ...any) {
	*list = append(*list, fmt.Sprintf(format, args...))
}

// key is what makes a message one message.
type key struct{ roomID, senderID, clientID string }

func keyOf(m contract.Message) key { return key{m.RoomID, m.SenderID, m.ClientID} }

// Check compares.
func Check(e Evidence) *Findings {
	f := &Findings{}
	stored := map[key]contract.Message{}
	texts := map[key]string{}
	for _, s := range e.Sent {
		texts[key{s.RoomID, s.SenderID, s.ClientID}] = s.Text
	}
	rooms := make(map[string]*Room, len(e.Rooms))
	for i := range e.Rooms {
		rooms[e.Rooms[i].ID] = &e.Rooms[i]
		f.log(&e.Rooms[i], stored, texts)
	}
	f.acknowledged(e.Sent, stored)
	received := map[string]Received{}
	for _, r := range e.Received {
		received[r.Device] = r
		for roomID := range r.Rooms {
			if rooms[roomID] == nil {
				note(&f.Wrong, "%s received messages of room %s, of which nothing is known", r.Device, roomID)
			}
		}
	}
	for i := range e.Rooms {
		room := &e.Rooms[i]
		for userID, devices := range e.Devices {
			first, member := room.Members[userID]
			for _, device := range devices {
				f.device(room, device, received[device].Rooms[room.ID], first, member && !room.Loose)
			}
		}
	}
	return f
}

// log checks that a room's log counts 1…n, and has of each message one, as
// someone sent it.
func (f *Findings) log(room *Room, stored map[key]contract.Message, texts map[key]string) {
	for i, m := range room.Stored {
		if m.Seq != int64(i)+1 {
			note(&f.Holes, "room %s: the log's entry %d has seq %d", room.ID, i+1, m.Seq)
		}
		if before, twice := stored[keyOf(m)]; twice {
			note(&f.Doubled, "room %s: client_id %s of %s is stored at seq %d and %d", room.ID, m.ClientID, m.SenderID, before.Seq, m.Seq)
			continue
		}
		stored[keyOf(m)] = m
		text, sent := texts[keyOf(m)]
		switch {
		case !sent:
			note(&f.Wrong, "room %s: seq %d, client_id %s, was sent by nobody", room.ID, m.Seq, m.ClientID)
		case m.RemovedAt == nil && m.Content.Text != text:
			note(&f.Wrong, "room %s: seq %d, client_id %s, has another text than was sent", room.ID, m.Seq, m.ClientID)
		}
	}
}

// acknowledged checks that what was acknowledged is stored, and where the
// acknowledgement said.
func (f *Findings) acknowledged(sent []Sent, stored map[key]contract.Message) {
	for _, s := range sent {
		if s.Reply == nil {
			continue
		}
		m, ok := stored[key{s.RoomID, s.SenderID, s.ClientID}]
		switch {
		case !ok:
			note(&f.Lost, "room %s: client_id %s was acknowledged as seq %d, and is not stored", s.RoomID, s.ClientID, s.Reply.Seq)
		case m.Seq != s.Reply.Seq || m.ID != s.Reply.ID || !m.SentAt.Equal(s.Reply.SentAt.Time):
			note(&f.Lost, "room %s: client_id %s was acknowledged as seq %d, id %s, and is stored as seq %d, id %s",
				s.RoomID, s.ClientID, s.Reply.Seq, s.Reply.ID, m.Seq, m.ID)
		}
	}
}

// device checks what one device received of a room: each message as it is
// stored, once, in order; and if it must have all, from first to the last.
func (f *Findings) device(room *Room, device string, got []contract.Message, first int64, all bool) {
	seen := make(map[int64]bool, len(got))
	last := int64(0)
	for _, m := range got {
		switch {
		case seen[m.Seq]:
			note(&f.Doubled, "room %s: %s received seq %d twice", room.ID, device, m.Seq)
		case m.Seq < last:
			note(&f.Reordered, "room %s: %s received seq %d after %d", room.ID, device, m.Seq, last)
		}
		seen[m.Seq] = true
		last = max(last, m.Seq)
		if m.Seq < 1 || m.Seq > int64(len(room.Stored)) {
			note(&f.Wrong, "room %s: %s received seq %d, the log has %d", room.ID, device, m.Seq, len(room.Stored))
			continue
		}
		kept := room.Stored[m.Seq-1]
		if kept.ID != m.ID || keyOf(kept) != keyOf(m) {
			note(&f.Wrong, "room %s: %s received id %s as seq %d, stored is id %s", room.ID, device, m.ID, m.Seq, kept.ID)
		}
		if all && m.Seq < first {
			note(&f.Wrong, "room %s: %s received seq %d, a member from %d on", room.ID, device, m.Seq, first)
		}
	}
	if !all {
		return
	}
	for seq := first; seq <= int64(len(room.Stored)); seq++ {
		if !seen[seq] {
			note(&f.Missing, "room %s: %s never received seq %d of %d", room.ID, device, seq, len(room.Stored))
		}
	}
}
