package chat

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/fault"
)

// damaged is a store of which one room can be neither written nor read.
func damaged(t *testing.T, bad string) *faultyRoom {
	inner := newStore(t)
	f := &faultyRoom{faulty: &faulty{Store: inner}, bad: bad}
	f.onAppend = func(ctx context.Context, r []Record) (int, error) {
		if !f.mended.Load() && slices.ContainsFunc(r, func(m Record) bool { return m.RoomID == bad }) {
			return 0, errDamaged
		}
		return inner.Append(ctx, r)
	}
	return f
}

type faultyRoom struct {
	*faulty
	bad    string
	partly bool // SetReads stores the others, as an unordered bulk write does
	mended atomic.Bool
}

func (s *faultyRoom) SetReads(ctx context.Context, positions []Position) ([]Position, error) {
	fine := slices.DeleteFunc(slices.Clone(positions), func(p Position) bool { return p.RoomID == s.bad })
	switch {
	case len(fine) == len(positions):
		return s.Store.SetReads(ctx, positions)
	case !s.partly:
		return nil, errDamaged
	}
	moved, err := s.Store.SetReads(ctx, fine)
	return moved, errors.Join(err, errDamaged)
}

func (s *faultyRoom) Heads(ctx context.Context, of ...UserRooms) ([]map[string]Head, error) {
	for _, u := range of {
		if slices.Contains(u.RoomIDs, s.bad) {
			return nil, errDamaged
		}
	}
	return s.Store.Heads(ctx, of...)
}

func (s *faultyRoom) Messages(ctx context.Context, at []Place) (map[string]Record, error) {
	if slices.ContainsFunc(at, func(p Place) bool { return p.RoomID == s.bad }) {
		return nil, errDamaged
	}
	return s.Store.Messages(ctx, at)
}

func TestLog_a_room_that_fails_stops_no_other(t *testing.T) {
	for name, tails := range map[string]bool{"inserts fail": false, "its page is damaged": true} {
		t.Run(name, func(t *testing.T) {
			store := damaged(t, "bad")
			log := startLog(t, damagedTails{store, tails})
			send := func(room, id string) (Receipt, error) { return log.Append(within(t), record(room, "ann", id)) }
			bad := atOnce(20, func(i int) (Receipt, error) { return send("bad", fmt.Sprint(i)) })
			// For longer than a store that fails so long counts as away.
			for n, began := 0, time.Now(); time.Since(began) < 2*awayAfter; n++ {
				for _, s := range atOnce(50, func(i int) (Receipt, error) { return send(fmt.Sprint("room-", i), fmt.Sprint(n)) })() {
					if s.err != nil {
						t.Fatalf("a healthy room was refused: %v", s.err)
					}
				}
			}
			for _, s := range bad() {
				if !fault.Is(s.err, fault.Unavailable) || !errors.Is(s.err, errDamaged) {
					t.Fatalf("a send to the room got %v", s.err)
				}
			}
			if err := log.Ready(within(t)); err != nil {
				t.Error(err)
			}
		})
	}
}

// damagedTails may fail to read the room's tail, too.
type damagedTails struct {
	*faultyRoom
	fail bool
}

func (s damagedTails) Tails(ctx context.Context, rooms []string) (map[string]int64, error) {
	if s.fail && slices.Contains(rooms, s.bad) {
		return nil, errDamaged
	}
	return s.faultyRoom.Tails(ctx, rooms)
}

func TestLog_a_room_that_is_mended_takes_messages(t *testing.T) {
	store := damaged(t, "bad")
	log := startLog(t, store)
	if _, err := log.Append(within(t), record("bad", "ann", "1")); !errors.Is(err, errDamaged) {
		t.Fatal(err)
	}
	store.mended.Store(true)
	await(t, "the room to take a message", func() bool {
		_, err := log.Append(within(t), record("bad", "ann", "1"))
		return err == nil
	})
	wantLog(t, store.Store, "bad", 1)
}

func TestEdgeStore_a_damaged_room_hides_no_other(t *testing.T) {
	store := damaged(t, "room-7")
	of := UserRooms{UserID: "ann"}
	var places []Place
	for i := range 30 {
		room := fmt.Sprint("room-", i)
		fill(t, store.Store, room, 2)
		of.RoomIDs, places = append(of.RoomIDs, room), append(places, Place{RoomID: room, Seq: 2})
	}
	s := newEdgeStore(store, time.Minute, 10, slog.New(slog.DiscardHandler))
	heads, err := s.Heads(within(t), of, UserRooms{UserID: "ben", RoomIDs: of.RoomIDs[5:9]})
	if err != nil || len(heads[0]) != 29 || len(heads[1]) != 3 {
		t.Errorf("heads %v, %v", heads, err)
	}
	messages, err := s.Messages(within(t), places)
	if err != nil || len(messages) != 29 {
		t.Errorf("%d messages, %v", len(messages), err)
	}
	if _, err := s.Heads(within(t), UserRooms{UserID: "ann", RoomIDs: []string{"room-7"}}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("of the room alone: %v", err)
	}
}

func TestLog_a_flooded_room_refuses_no_other(t *testing.T) {
	pass, open := newGate(t)
	store := &faulty{Store: newStore(t)}
	entered := make(chan struct{}, 1000)
	store.onAppend = func(ctx context.Context, r []Record) (int, error) {
		entered <- struct{}{}
		pass()
		return store.Store.Append(ctx, r)
	}
	log := startLog(t, store, func(o *LogOptions) { o.Queue, o.BatchDocs = 40, 5 })
	first := atOnce(1, func(int) (Receipt, error) { return log.Append(within(t), record("flooded", "ann", "first")) })
	<-entered // from here on nobody takes sends from the queue
	flood := atOnce(200, func(i int) (Receipt, error) {
		return log.Append(within(t), record("flooded", "ann", fmt.Sprint(i)))
	})
	await(t, "the queue to be as full as one room may make it", func() bool { return len(log.committers[0].queue) >= 30 })
	others := atOnce(5, func(i int) (Receipt, error) {
		return log.Append(within(t), record(fmt.Sprint("room-", i), "ben", "1"))
	})
	await(t, "the others to wait", func() bool {
		w := &log.committers[0].waiting
		w.mu.Lock()
		defer w.mu.Unlock()
		return len(w.byRoom) == 6
	})
	open()
	for _, s := range append(others(), first()...) {
		if s.err != nil {
			t.Errorf("not of the flood: %v", s.err)
		}
	}
	refused := 0
	for _, s := range flood() {
		if s.err != nil {
			refused++
		}
	}
	if refused == 0 {
		t.Error("nothing of the flood was refused")
	}
}
