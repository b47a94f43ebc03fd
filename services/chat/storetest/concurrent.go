package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/services/chat"
)

// Concurrent is what a store must do for many callers at once. FerretDB,
// whose updates are not atomic and which has no $first, is no place for it.
func Concurrent(t *testing.T, open Open) {
	for name, test := range map[string]func(*testing.T, chat.Store){
		"Append/50_writers_on_one_room":         writersOnOneRoom,
		"Append/50_writers_of_batches":          writersOfBatches,
		"Append/50_times_the_same_client_id":    writersOfOneKey,
		"Append/writers_whose_insert_times_out": writersThatTimeOut,
		"Remove/50_times_at_once":               removersOfOneMessage,
		"SetReads/50_positions_at_once":         readersOfOneRoom,
		"SetReads/50_batches_at_once":           readersInBatches,
		"Heads/of_many_rooms":                   headsOfManyRooms,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

// writers is how many go at a store at the same time.
const writers = 50

// atOnce runs f in writers goroutines and waits for all.
func atOnce(f func(writer int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for w := range writers {
		wg.Go(func() {
			<-start
			f(w)
		})
	}
	close(start)
	wg.Wait()
}

// push appends records of one room as a Log would, wherever the tail is.
func push(ctx context.Context, s chat.Store, records []chat.Record) error {
	room := records[0].RoomID
	for len(records) > 0 {
		tails, err := s.Tails(ctx, []string{room})
		if err != nil {
			return err
		}
		for i := range records {
			records[i].Seq = tails[room] + int64(i) + 1
		}
		stored, err := s.Append(ctx, records)
		if err != nil && !errors.Is(err, chat.ErrSeqTaken) {
			return err
		}
		records = records[stored:]
	}
	return nil
}

// writersOnOneRoom collide all the time: of the attempts that are under way one
// succeeds. Each push has the whole time limit, so that a slow engine passes.
func writersOnOneRoom(t *testing.T, s chat.Store) {
	const each = 3
	atOnce(func(w int) {
		for i := range each {
			if err := push(within(t), s, []chat.Record{message("room", fmt.Sprint("w", w), fmt.Sprint(i), 0)}); err != nil {
				t.Error(err)
			}
		}
	})
	wantInOrder(t, log(t, s, "room"), writers, each)
}

func writersOfBatches(t *testing.T, s chat.Store) {
	const each = 20
	ctx := within(t)
	atOnce(func(w int) {
		sender := fmt.Sprint("w", w)
		var batch []chat.Record
		for i := range each {
			batch = append(batch, message("room", sender, fmt.Sprint(i), 0))
		}
		if err := push(ctx, s, batch); err != nil {
			t.Error(err)
		}
	})
	wantInOrder(t, log(t, s, "room"), writers, each)
}

// wantInOrder fails unless every writer's messages 0, 1, 2… are there once
// and in this order.
func wantInOrder(t *testing.T, all []chat.Record, writers, each int) {
	t.Helper()
	next := make(map[string]int)
	for _, m := range all {
		if m.ClientID != fmt.Sprint(next[m.SenderID]) {
			t.Fatalf("seq %d is %s of %s, want %d", m.Seq, m.ClientID, m.SenderID, next[m.SenderID])
		}
		next[m.SenderID]++
	}
	if len(all) != writers*each {
		t.Fatalf("%d messages, want %d", len(all), writers*each)
	}
}

func writersOfOneKey(t *testing.T, s chat.Store) {
	ctx := within(t)
	var won, lost atomic.Int32
	atOnce(func(w int) {
		err := push(ctx, s, []chat.Record{message("room", fmt.Sprint("w", w), "own", 0), message("room", "ann", "same", 0)})
		switch {
		case err == nil:
			won.Add(1)
		case errors.Is(err, chat.ErrClientIDTaken):
			lost.Add(1)
		default:
			t.Error(err)
		}
	})
	if won.Load() != 1 || lost.Load() != writers-1 {
		t.Fatalf("%d won, %d lost", won.Load(), lost.Load())
	}
	if got := len(log(t, s, "room")); got != writers+1 {
		t.Fatalf("%d messages, want %d", got, writers+1)
	}
}

// writersThatTimeOut write under deadlines that often end in the middle, and
// grow, so that a slow machine gets there too. An insert whose outcome they do
// not know they look up before they try again.
func writersThatTimeOut(t *testing.T, s chat.Store) {
	const each = 3 // of 50 who collide all the time
	ctx := within(t)
	atOnce(func(w int) {
		for i := range each {
			r := message("room", fmt.Sprint("w", w), fmt.Sprint(i), 0)
			for stored, tries := false, 0; !stored; tries++ {
				short, cancel := context.WithTimeout(ctx, rand.N(40*time.Millisecond<<min(tries, 6)))
				err := push(short, s, []chat.Record{r})
				cancel()
				found, lookErr := s.ByClientID(ctx, []chat.Key{r.Key()})
				if lookErr != nil {
					t.Error(lookErr)
					return
				}
				if _, stored = found[r.Key()]; err == nil && !stored {
					t.Error("an acknowledged message is not there")
					return
				}
			}
		}
	})
	wantInOrder(t, log(t, s, "room"), writers, each)
}

func removersOfOneMessage(t *testing.T, s chat.Store) {
	r := message("room", "ann", "c", 1)
	mustAppend(t, s, r)
	ctx := within(t)
	var removed atomic.Int32
	atOnce(func(w int) {
		ok, err := s.Remove(ctx, removal(t, r, fmt.Sprint("w", w)))
		if err != nil {
			t.Error(err)
		}
		if ok {
			removed.Add(1)
		}
	})
	events, err := s.Pending(ctx, 100)
	if err != nil || len(events) != 1 || removed.Load() != 1 {
		t.Fatalf("removed %d times, %d events, %v", removed.Load(), len(events), err)
	}
}

func readersOfOneRoom(t *testing.T, s chat.Store) {
	ctx := within(t)
	mustAppend(t, s, messages("room", "ann", 1, writers)...)
	var moved atomic.Int32
	atOnce(func(w int) {
		for range 3 {
			ok, err := s.SetReads(ctx, []chat.Position{{UserID: "ben", RoomID: "room", Seq: int64(w) + 1}})
			if err != nil {
				t.Error(err)
			}
			moved.Add(int32(len(ok)))
			if got := head(t, s, "ben", "room").ReadSeq; got < int64(w)+1 {
				t.Errorf("position is %d after it was set to %d", got, w+1)
			}
		}
	})
	if got := head(t, s, "ben", "room").ReadSeq; got != writers {
		t.Fatalf("position is %d, want %d", got, writers)
	}
	if n := moved.Load(); n < 1 || n > writers {
		t.Fatalf("moved %d times", n)
	}
}

// readersInBatches move the same users' positions in batches that overlap, in
// whatever order: each ends at the furthest.
func readersInBatches(t *testing.T, s chat.Store) {
	const users = 20
	ctx := within(t)
	mustAppend(t, s, messages("room", "ann", 1, writers)...)
	atOnce(func(w int) {
		batch := make([]chat.Position, users)
		for i := range batch {
			batch[(i+w)%users] = chat.Position{UserID: fmt.Sprint("user-", i), RoomID: "room", Seq: int64(w) + 1}
		}
		if _, err := s.SetReads(ctx, batch); err != nil {
			t.Error(err)
		}
	})
	for i := range users {
		if got := head(t, s, fmt.Sprint("user-", i), "room").ReadSeq; got != writers {
			t.Errorf("position of user %d is %d, want %d", i, got, writers)
		}
	}
}

// headsOfManyRooms reads what a user with a whole page of rooms has. One room in
// ten has messages: inserts are what a slow engine takes long for.
func headsOfManyRooms(t *testing.T, s chat.Store) {
	ids := make([]string, contract.MaxRoomPage)
	for i := range ids {
		ids[i] = fmt.Sprint("room-", i)
	}
	spoken := ids[:len(ids)/10]
	for part := range slices.Chunk(spoken, 50) {
		var batch []chat.Record
		for _, room := range part {
			batch = append(batch, message(room, "ann", "1", 1), message(room, "ben", "1", 2))
		}
		mustAppend(t, s, batch...)
	}
	heads, err := s.Heads(within(t), chat.UserRooms{UserID: "ben", RoomIDs: ids})
	if err != nil {
		t.Fatal(err)
	}
	tails, err := s.Tails(within(t), ids)
	if err != nil {
		t.Fatal(err)
	}
	for _, room := range spoken {
		if h := heads[0][room]; h.LastSeq != 2 || h.ReadSeq != 2 || tails[room] != 2 {
			t.Fatalf("%s: head %+v, tail %d", room, h, tails[room])
		}
	}
	if len(heads[0]) != len(spoken) || len(tails) != len(spoken) {
		t.Errorf("%d heads and %d tails of %d rooms with messages", len(heads[0]), len(tails), len(spoken))
	}
}
