package chat

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/schema"
)

// What a store answers.
var (
	// ErrSeqTaken means that another message stands at the record's seq.
	ErrSeqTaken = errors.New("seq is taken")
	// ErrClientIDTaken means that a message with the record's Key is stored.
	ErrClientIDTaken = errors.New("client id is taken")
	// ErrUnreadable means that a stored record is not what this program
	// writes. Asking again does not help.
	ErrUnreadable = errors.New("stored record is unreadable")
)

// Store keeps the logs of all rooms and how far each user has read. Every
// verb is atomic, and safe for any number of goroutines, replicas and, with
// SQLite, processes. What a read returns is committed for good: by a majority
// in MongoDB, on the disk in SQLite.
type Store interface {
	// Append inserts the records in order and stops at the first that cannot
	// be. With ErrSeqTaken or ErrClientIDTaken, about records[stored], those
	// before it are stored and those after it are not. Any other error says
	// nothing: each record may be stored, now or later. The senders' read
	// positions move along.
	Append(ctx context.Context, records []Record) (stored int, err error)
	// Tails are the last seqs of rooms; a room without messages has none.
	Tails(ctx context.Context, roomIDs []string) (map[string]int64, error)
	// ByClientID finds what is stored under the keys.
	ByClientID(ctx context.Context, keys []Key) (map[Key]Record, error)

	// Page reads a part of a room's log.
	Page(ctx context.Context, r Range) ([]Record, error)
	// Messages reads single messages, by room; no two places may be in one
	// room. What is not there is left out.
	Messages(ctx context.Context, at []Place) (map[string]Record, error)
	// Remove puts a tombstone in the message's place and the events into the
	// outbox, in one write. It reports whether it did: not when the message
	// has been removed before, or is not there.
	Remove(ctx context.Context, r Removal) (bool, error)

	// SetReads moves read positions forward, never back, and returns those that
	// moved; one that stood exactly there may be among them. No two are of one
	// user and room. With an error those that it returns have moved, and each
	// of the others may have moved, or move later.
	SetReads(ctx context.Context, positions []Position) (moved []Position, err error)
	// Heads says where users' rooms end and how far they have read them, at
	// least up to a last message of their own, of each of them by room. A room
	// without messages and without a read position has none.
	Heads(ctx context.Context, of ...UserRooms) ([]map[string]Head, error)

	// Positions are a user's read positions in rooms after one, in the order of
	// the rooms' ids. All rooms in which the user may have written are among them;
	// a Seq of 0 says that no position is stored.
	Positions(ctx context.Context, userID, after string, limit int) ([]Position, error)
	// Written reads what a user wrote in a room, tombstones too, a bounded part of
	// it. An empty next: that was the last.
	Written(ctx context.Context, w Written) (records []Record, next string, err error)
	// Erase puts tombstones in the place of some of what a user wrote, with the
	// events that tell of them, and forgets the user's read positions: a bounded
	// part of it. It is done once nothing is left that was stored before the call
	// that found nothing else to do; another call looks everywhere again. After an
	// error it may have removed something nevertheless.
	Erase(ctx context.Context, e Erasure) (Erased, error)

	// Rooms are the rooms that have messages, after one, in the order of ids.
	Rooms(ctx context.Context, after string, limit int) ([]string, error)
	// Expire puts tombstones in the place of a room's oldest messages: a bounded
	// part of it, beginning where it ended before.
	Expire(ctx context.Context, e Expiry) (Expired, error)

	// Post writes events that report no change, such as what an admin looked at.
	Post(ctx context.Context, events []contract.Event) error
	// Pending, Done and Lease are bus.Outbox.
	Pending(ctx context.Context, limit int) ([]contract.Event, error)
	Done(ctx context.Context, events []contract.Event) error
	Lease(ctx context.Context, holder string, ttl time.Duration) (bool, error)

	// Now is clock.Source.
	Now(ctx context.Context) (time.Time, error)
	// Schema is what the database has of its layout now, for a diagnosis.
	Schema(ctx context.Context) (schema.State, error)
	Ping(ctx context.Context) error
	Close() error
}

// Record is a message as it is stored: with the hash of its content, which goes
// with the content.
type Record struct {
	contract.Message
	Hash Hash
}

// Key returns what makes the record unique for ever.
func (r Record) Key() Key { return Key{RoomID: r.RoomID, SenderID: r.SenderID, ClientID: r.ClientID} }

// Key is what makes a message unique for ever, chosen by its sender.
type Key struct{ RoomID, SenderID, ClientID string }

// Place names one message by where it stands.
type Place struct {
	RoomID string
	Seq    int64
}

// Position is how far a user has read a room.
type Position struct {
	UserID, RoomID string
	Seq            int64
}

func (p Position) key() readKey { return readKey{userID: p.UserID, roomID: p.RoomID} }

// UserRooms are some rooms of a user.
type UserRooms struct {
	UserID  string
	RoomIDs []string
}

// allRooms are the rooms of several users, each once.
func allRooms(of []UserRooms) []string {
	if len(of) == 1 {
		return of[0].RoomIDs
	}
	var all []string
	for _, u := range of {
		all = append(all, u.RoomIDs...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Range is a part of a room's log: From to To, both inclusive.
type Range struct {
	RoomID   string
	From, To int64
	Newest   bool // newest first, else oldest first
	Limit    int  // messages, at most
	// Bytes ends the part before the message whose size (Record.Size) would
	// exceed it in sum. The first message always fits.
	Bytes int
}

// page gathers the messages of a Range.
type page struct {
	records []Record
	left    int // bytes
}

// take is false when the message no longer fits.
func (p *page) take(m Record) bool {
	p.left -= m.Size()
	if p.left < 0 && len(p.records) > 0 {
		return false
	}
	p.records = append(p.records, m)
	return true
}

// Head is where a room ends, and how far one user has read it.
type Head struct {
	LastSeq int64         // 0: no messages
	SentAt  contract.Time // of the last message
	ReadSeq int64         // 0: nothing
}

// Removal turns a message into a tombstone: content and hash go, while seq and
// client_id stay.
type Removal struct {
	Place
	By     string
	At     contract.Time
	Events []contract.Event
}

// Written is a part of what a user wrote in a room, in an order of the store's
// own.
type Written struct {
	UserID, RoomID string
	Cursor         string // as it was returned; "" at first
	Limit          int    // messages, at most
	Bytes          int    // as in Range
}

// Erasure is of all that a user wrote.
type Erasure struct {
	UserID string
	By     string
	At     contract.Time
	Limit  int // messages, at most
	// Tell makes the event of one removal.
	Tell func(Removal) (contract.Event, error)
	// Events go with the first change, or, in MongoDB, before it.
	Events []contract.Event
}

func (e Erasure) removal(at Place) (Removal, error) {
	r := Removal{Place: at, By: e.By, At: e.At}
	event, err := e.Tell(r)
	r.Events = []contract.Event{event}
	return r, err
}

// Erased is what was done of an Erasure.
type Erased struct {
	Removed []Place // at most Limit
	Done    bool    // there was nothing any more: nothing was written
}

// Expiry is of a room's messages that were sent before a time.
type Expiry struct {
	RoomID string
	Before contract.Time
	By     string
	At     contract.Time
	Limit  int // messages to look at
	// Tell makes the event of a part, of its last message.
	Tell func(Removal) (contract.Event, error)
}

// removal is of the last message of a part.
func (e Expiry) removal(seq int64) (Removal, error) {
	r := Removal{Place: Place{RoomID: e.RoomID, Seq: seq}, By: e.By, At: e.At}
	event, err := e.Tell(r)
	r.Events = []contract.Event{event}
	return r, err
}

// Expired is what was done of an Expiry.
type Expired struct {
	Removed int  // that were not removed before
	More    bool // it did not come to a younger message, or to the end
}
