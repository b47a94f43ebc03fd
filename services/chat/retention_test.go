package chat

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-im/parley/pkg/clock"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
	"github.com/parley-im/parley/pkg/sqlite"
)

func TestRetention_by_room_type(t *testing.T) {
	pair := id.Pair("ann", "ben")
	for name, c := range map[string]struct {
		o    RetentionOptions
		want map[string]int64 // by room, how many are left
	}{
		"groups only": {RetentionOptions{Group: time.Hour}, map[string]int64{"group": 0, pair: 5}},
		"pairs only":  {RetentionOptions{Direct: time.Hour}, map[string]int64{"group": 5, pair: 0}},
		"longer":      {RetentionOptions{Group: time.Hour, Direct: 10 * time.Hour}, map[string]int64{"group": 0, pair: 5}},
	} {
		t.Run(name, func(t *testing.T) {
			store := newStore(t)
			fill(t, store, "group", 5)
			fill(t, store, pair, 5)
			kicks := 0
			c.o.Every, c.o.Now = time.Hour, func(context.Context) (time.Time, error) { return time.Now().Add(2 * time.Hour), nil }
			r := NewRetention(store, c.o, slog.New(slog.DiscardHandler), func() { kicks++ })
			removed, err := r.Round(within(t))
			if err != nil || removed != 5 || kicks != 1 {
				t.Fatalf("removed %d, %d kicks, %v", removed, kicks, err)
			}
			for room, want := range c.want {
				page, err := store.Page(within(t), Range{RoomID: room, From: 1, To: 5, Limit: 5, Bytes: 1 << 20})
				if err != nil || len(page) != 5 {
					t.Fatalf("%s has %d messages, %v", room, len(page), err)
				}
				var left int64
				for _, m := range page {
					if m.RemovedAt == nil {
						left++
					} else if m.RemovedBy != contract.RemovedByRetention || m.Content.Text != "" || m.Hash != (Hash{}) || m.ClientID == "" {
						t.Errorf("a tombstone is %+v", m)
					}
				}
				if left != want {
					t.Errorf("%s has %d messages left, want %d", room, left, want)
				}
			}
			if removed, err := r.Round(within(t)); err != nil || removed != 0 {
				t.Errorf("again: %d, %v", removed, err)
			}
		})
	}
}

// unreadable is a real store with a room that can't be read.
type unreadable struct {
	Store
	room string
}

func (s unreadable) Expire(ctx context.Context, e Expiry) (Expired, error) {
	if e.RoomID == s.room {
		return Expired{}, ErrUnreadable
	}
	return s.Store.Expire(ctx, e)
}

func TestRetention_goes_on_behind_a_room_that_fails(t *testing.T) {
	store := newStore(t)
	fill(t, store, "a", 5)
	fill(t, store, "b", 5)
	o := RetentionOptions{Group: time.Hour, Every: time.Hour, Now: func(context.Context) (time.Time, error) { return time.Now().Add(2 * time.Hour), nil }}
	r := NewRetention(unreadable{Store: store, room: "a"}, o, slog.New(slog.DiscardHandler), func() {})
	removed, err := r.Round(within(t))
	if removed != 5 || !errors.Is(err, ErrUnreadable) || !strings.Contains(err.Error(), "room a") {
		t.Fatalf("removed %d, %v", removed, err)
	}
}

func TestRetention_is_off_by_default(t *testing.T) {
	if NewRetention(nil, Config{}.retentionOptions(nil), nil, nil) != nil {
		t.Error("it is on")
	}
}

func TestRetention_bounds_memory(t *testing.T) {
	c := Config{RecentAge: 10 * time.Minute, RetentionGroup: time.Minute}
	if o := c.memoryOptions(); o.Age != time.Minute {
		t.Errorf("messages are remembered for %s, and kept for %s", o.Age, c.RetentionGroup)
	}
}

func TestRetention_Run_ends(t *testing.T) {
	store := newStore(t)
	ctx, cancel := context.WithCancel(t.Context())
	swept := make(chan struct{}, 1)
	o := RetentionOptions{Group: time.Hour, Every: time.Hour, Now: func(context.Context) (time.Time, error) { return time.Now().Add(2 * time.Hour), nil }}
	fill(t, store, "group", 1)
	r := NewRetention(store, o, slog.New(slog.DiscardHandler), func() { swept <- struct{}{} })
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }() // ended by cancel, joined below
	<-swept
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A database of before there were steps.
func TestSQLite_upgrade(t *testing.T) {
	path := filepath.Join(t.TempDir(), "chat.db")
	db, err := sqlite.Open(t.Context(), path, sqlite.Schema{})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(t.Context(), sqliteTables+`DROP TABLE schema_version;
			INSERT INTO messages (room_id, seq, id, sender_id, client_id, type, text, hash, sent_at)
			VALUES ('room', 1, 'm', 'ann', 'c', 'text', 'hello', x'00', 1700000000000)`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	store := openFile(t, path)
	found, err := store.Messages(within(t), []Place{{RoomID: "room", Seq: 1}})
	if err != nil || found["room"].Content.Text != "hello" {
		t.Errorf("found %+v, %v", found, err)
	}
	now := contract.NewTime(time.Now())
	done, err := store.Expire(within(t), Expiry{RoomID: "room", Before: now, At: now, Limit: 1, Tell: expired})
	if err != nil || done.Removed != 1 {
		t.Errorf("expired %+v, %v", done, err)
	}
}

// What an admin looked at in social is no change of a room.
func TestRoomChanged_passes_over_audits(t *testing.T) {
	e, err := contract.SocialAudit.New(id.New(), "room", time.Now(), contract.AuditEvent{By: "root", Action: "show_room", RoomID: "room"})
	if err != nil {
		t.Fatal(err)
	}
	var lines bytes.Buffer
	d := newDirectory(t)
	d.put("room", "ann", 1)
	if _, err := d.members.Member(within(t), "room", "ann", nil); err != nil {
		t.Fatal(err)
	}
	roomChanged(d.members, &nats.Msg{Subject: e.Subject, Data: e.Payload}, slog.New(slog.NewTextHandler(&lines, nil)))
	if strings.Contains(lines.String(), "not understood") {
		t.Errorf("logged %s", lines.String())
	}
	if !d.members.Allows("room", "ann", func(contract.Membership) error { return nil }) {
		t.Error("memberships were dropped")
	}
}

// Nothing is removed by a clock that differs from the store's.
func TestRetention_refuses_a_wrong_clock(t *testing.T) {
	store := newStore(t)
	fill(t, store, "group", 5)
	ahead := func() time.Time { return time.Now().Add(48 * time.Hour) }
	o := RetentionOptions{Group: time.Hour, Every: time.Hour, Now: clock.New(timedStore{store}, ahead).Trusted}
	r := NewRetention(store, o, slog.New(slog.DiscardHandler), func() {})
	if removed, err := r.Round(within(t)); removed != 0 || !errors.Is(err, clock.ErrSkewed) {
		t.Errorf("removed %d, %v", removed, err)
	}
	if stored(t, store, "group")[0].RemovedAt != nil {
		t.Error("a young message is gone")
	}
}

// timedStore has a clock of its own, as MongoDB does.
type timedStore struct{ Store }

func (timedStore) Now(context.Context) (time.Time, error) { return time.Now(), nil }
