package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/filled"
	"github.com/parley-im/parley/services/chat"
)

// filledRecord is a room's first message as Append stores it: not RemovedAt and
// RemovedBy, which Remove, Erase and Expire set.
func filledRecord(seed int) chat.Record {
	r := filled.Of[chat.Record](seed)
	r.Seq, r.RemovedAt, r.RemovedBy = 1, nil, ""
	return r
}

func wholeRecords(t *testing.T, s chat.Store) {
	filled.Readers[chat.Store, chat.Record](t, "ByClientID", "Messages", "Page", "Written")
	want := filledRecord(1)
	mustAppend(t, s, want)
	readsRecord(t, s, want)
	r := removal(t, want, "ben")
	if _, err := s.Remove(within(t), r); err != nil {
		t.Fatal(err)
	}
	want.Type, want.Content, want.Hash, want.RemovedAt, want.RemovedBy = contract.MessageRemoved, contract.Content{}, chat.Hash{}, &r.At, r.By
	readsRecord(t, s, want)
}

// readsRecord reads a message by all verbs.
func readsRecord(t *testing.T, s chat.Store, want chat.Record) {
	t.Helper()
	page := func(newest bool) ([]chat.Record, error) {
		return s.Page(within(t), chat.Range{RoomID: want.RoomID, From: 1, To: 1, Newest: newest, Limit: 10, Bytes: 1 << 20})
	}
	for verb, read := range map[string]func() ([]chat.Record, error){
		"ByClientID": func() ([]chat.Record, error) {
			found, err := s.ByClientID(within(t), []chat.Key{want.Key()})
			return []chat.Record{found[want.Key()]}, err
		},
		"Messages": func() ([]chat.Record, error) {
			found, err := s.Messages(within(t), []chat.Place{place(want)})
			return []chat.Record{found[want.RoomID]}, err
		},
		"Page":         func() ([]chat.Record, error) { return page(false) },
		"Page, newest": func() ([]chat.Record, error) { return page(true) },
		"Written": func() ([]chat.Record, error) {
			records, _, err := s.Written(within(t), chat.Written{UserID: want.SenderID, RoomID: want.RoomID, Limit: 10, Bytes: 1 << 20})
			return records, err
		},
	} {
		got, err := read()
		if err != nil || len(got) != 1 {
			t.Fatalf("%s: %d messages, %v", verb, len(got), err)
		}
		filled.Same(t, verb, got[0], want)
	}
}

// wholeTombstones removes a message of which every field is set, in each way
// that there is. A field that is added later goes, or is named here with why it
// may stay.
func wholeTombstones(t *testing.T, s chat.Store) {
	for i, way := range []struct {
		name   string
		remove func(r chat.Record) error
	}{
		{"Remove", func(r chat.Record) error {
			_, err := s.Remove(within(t), removal(t, r, "ben"))
			return err
		}},
		{"Erase", func(r chat.Record) error {
			awaitRead(t, s, r.SenderID, r.RoomID, r.Seq)
			erase(t, s, erasure(r.SenderID))
			for _, p := range positions(t, s, r.SenderID, "", 10) { // a room may still be named
				filled.Left(t, "a position", chat.Position{UserID: r.SenderID, RoomID: r.RoomID, Seq: r.Seq}, p, "UserID", "RoomID")
			}
			return nil
		}},
		{"Expire", func(r chat.Record) error {
			e := erasure("")
			_, err := s.Expire(within(t), chat.Expiry{
				RoomID: r.RoomID, Before: contract.NewTime(r.SentAt.Add(time.Hour)), By: contract.RemovedByRetention, At: e.At, Limit: 10, Tell: e.Tell,
			})
			return err
		}},
	} {
		r := filledRecord(i + 1)
		mustAppend(t, s, r)
		if err := way.remove(r); err != nil {
			t.Fatalf("%s: %v", way.name, err)
		}
		after := log(t, s, r.RoomID)
		if len(after) != 1 || after[0].RemovedAt == nil {
			t.Fatalf("%s: got %+v", way.name, after)
		}
		filled.Left(t, way.name+"'s tombstone", r, after[0],
			"ID", "RoomID", "Seq", "SentAt", // its place: logs have no holes
			"SenderID", "ClientID") // ids, by which a message that is sent again is known
	}
}

func wholePositions(t *testing.T, s chat.Store) {
	filled.Readers[chat.Store, chat.Position](t, "Positions", "SetReads")
	filled.Readers[chat.Store, chat.Head](t, "Heads")
	last := filledRecord(1)
	mustAppend(t, s, last)
	want := filled.Of[chat.Position](2)
	want.RoomID, want.Seq = last.RoomID, 1
	moved, err := s.SetReads(within(t), []chat.Position{want})
	if err != nil || len(moved) != 1 {
		t.Fatalf("SetReads: %v, %v", moved, err)
	}
	filled.Same(t, "SetReads", moved[0], want)
	list := positions(t, s, want.UserID, "", 10)
	if len(list) != 1 {
		t.Fatalf("Positions: %v", list)
	}
	filled.Same(t, "Positions", list[0], want)

	// Of one user and of many: the stores ask in two ways.
	heads, err := s.Heads(within(t), chat.UserRooms{UserID: want.UserID, RoomIDs: []string{last.RoomID}}, chat.UserRooms{UserID: "ben", RoomIDs: []string{"none"}})
	if err != nil || len(heads) != 2 {
		t.Fatalf("Heads: %v, %v", heads, err)
	}
	for i, got := range []chat.Head{head(t, s, want.UserID, last.RoomID), heads[0][last.RoomID]} {
		filled.Same(t, fmt.Sprint("head ", i), got, chat.Head{LastSeq: 1, SentAt: last.SentAt, ReadSeq: 1})
		filled.Empty(t, fmt.Sprint("head ", i), got)
	}
}

// wholeEvents sends an event through the outbox by each verb that writes one.
func wholeEvents(t *testing.T, s chat.Store) {
	filled.Readers[chat.Store, contract.Event](t, "Pending")
	want := filled.Of[contract.Event](1)
	for i, way := range []struct {
		name  string
		write func(r chat.Record) error
	}{
		{"Post", func(chat.Record) error { return s.Post(within(t), []contract.Event{want}) }},
		{"Remove", func(r chat.Record) error {
			of := removal(t, r, "ben")
			of.Events = []contract.Event{want}
			_, err := s.Remove(within(t), of)
			return err
		}},
		{"Expire", func(r chat.Record) error {
			_, err := s.Expire(within(t), chat.Expiry{
				RoomID: r.RoomID, Before: contract.NewTime(r.SentAt.Add(time.Hour)), At: contract.NewTime(time.Now()), Limit: 10,
				Tell: func(chat.Removal) (contract.Event, error) { return want, nil },
			})
			return err
		}},
	} {
		r := filledRecord(i + 1)
		mustAppend(t, s, r)
		if err := way.write(r); err != nil {
			t.Fatalf("%s: %v", way.name, err)
		}
		got := drain(t, s)
		if len(got) != 1 {
			t.Fatalf("%s: %d events", way.name, len(got))
		}
		filled.Same(t, "the event of "+way.name, got[0], want)
	}
}
