package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/bson"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
	"github.com/parley-im/parley/pkg/mongodb"
	"github.com/parley-im/parley/pkg/mongodb/mongotest"
	"github.com/parley-im/parley/services/chat"
)

// TestMongoErasure_finds_every_room loses read positions, as a replica does that
// is killed right after it has acknowledged a send: an export and an erasure
// find the rooms nevertheless, also of a database from before writers were
// noted.
func TestMongoErasure_finds_every_room(t *testing.T) {
	server := startFerretDB(t)
	for name, older := range map[string]bool{"killed after a send": false, "a database from before": true} {
		t.Run(name, func(t *testing.T) {
			url := server + "parley_" + id.New()
			open := func(ctx context.Context, url string) (chat.Store, error) { return chat.OpenStore(ctx, url) }
			db := mongotest.Connect(t, url)
			t.Run("before", func(t *testing.T) { // closes the store at its end
				s := opened(t, url, open)
				for room := range 30 {
					writeText(t, s, fmt.Sprintf("room-%02d", room), "ann")
				}
				writeText(t, s, "room-07", "ben")
			})
			forgetCollection(t, db, "read_positions")
			if older {
				forgetCollection(t, db, "writers")
				one := bson.D{{Key: "$set", Value: bson.D{{Key: "steps", Value: 1}}}}
				if _, err := db.Collection("schema_version").UpdateOne(t.Context(), bson.D{}, one); err != nil {
					t.Fatal(err)
				}
			}
			s := opened(t, url, open)
			if rooms, err := s.Positions(t.Context(), "ann", "", 100); err != nil || len(rooms) != 30 {
				t.Errorf("an export finds %d rooms, %v", len(rooms), err)
			}
			if removed := eraseAll(t, s, "ann"); removed != 30 {
				t.Errorf("%d messages were erased, want 30", removed)
			}
			for room := range 30 {
				wantText(t, s, fmt.Sprintf("room-%02d", room), "ann", "")
			}
			wantText(t, s, "room-07", "ben", "a secret")
		})
	}
}

func forgetCollection(t *testing.T, db *mongodb.DB, name string) {
	t.Helper()
	if _, err := db.Collection(name).DeleteMany(t.Context(), bson.D{}); err != nil {
		t.Fatal(err)
	}
}

// writeText appends a message to the room.
func writeText(t *testing.T, s chat.Store, room, user string) {
	t.Helper()
	tails, err := s.Tails(t.Context(), []string{room})
	if err != nil {
		t.Fatal(err)
	}
	r := chat.Record{Message: contract.Message{
		ID: id.New(), RoomID: room, Seq: tails[room] + 1, ClientID: id.New(), SenderID: user,
		Type: contract.MessageText, Content: contract.Content{Text: "a secret"}, SentAt: contract.NewTime(time.Now()),
	}}
	if n, err := s.Append(t.Context(), []chat.Record{r}); err != nil || n != 1 {
		t.Fatalf("stored %d, %v", n, err)
	}
}

func eraseAll(t *testing.T, s chat.Store, user string) (removed int) {
	t.Helper()
	e := chat.Erasure{
		UserID: user, By: contract.RemovedByAdmin, At: contract.NewTime(time.Now()), Limit: 100,
		Tell: func(r chat.Removal) (contract.Event, error) {
			return contract.MessageTombstoned.New(id.New(), r.RoomID, r.At.Time, contract.MessageEvent{RoomID: r.RoomID, Seq: r.Seq, By: r.By})
		},
	}
	for range 1000 {
		done, err := s.Erase(t.Context(), e)
		if err != nil {
			t.Fatal(err)
		}
		if removed += len(done.Removed); done.Done {
			return removed
		}
	}
	t.Fatal("the erasure does not end")
	return removed
}

// wantText fails unless all that the user wrote in the room is the text.
func wantText(t *testing.T, s chat.Store, room, user, text string) {
	t.Helper()
	page, err := s.Page(t.Context(), chat.Range{RoomID: room, From: 1, To: 100, Limit: 100, Bytes: 1 << 20})
	if err != nil || len(page) == 0 {
		t.Fatalf("%s has %d messages, %v", room, len(page), err)
	}
	for _, m := range page {
		if m.SenderID == user && m.Content.Text != text {
			t.Errorf("%s says %q in %s, want %q", user, m.Content.Text, room, text)
		}
	}
}
