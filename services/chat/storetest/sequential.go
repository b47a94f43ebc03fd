package storetest

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/services/chat"
)

// Sequential is what a store must do for one caller.
func Sequential(t *testing.T, open Open) {
	for name, test := range map[string]func(*testing.T, chat.Store){
		"Schema/is_whole_once_it_is_open":          wholeSchema,
		"Append/keeps_every_field":                 keepsEveryField,
		"Append/stops_at_a_seq_that_is_taken":      stopsAtSeq,
		"Append/stops_at_a_client_id_that_is_used": stopsAtClientID,
		"Append/of_many_rooms":                     appendsManyRooms,
		"Tails/of_no_and_unknown_rooms":            tailsOfNothing,
		"ByClientID/finds_what_is_there":           findsByClientID,
		"Page/both_ways":                           pages,
		"Page/ends_at_its_bytes":                   pageEndsAtBytes,
		"Messages/by_room":                         readsSingleMessages,
		"Remove/leaves_a_tombstone_and_an_event":   leavesTombstone,
		"Remove/only_what_is_there":                removesOnlyWhatIsThere,
		"SetReads/never_move_back":                 readsNeverMoveBack,
		"SetReads/of_many_users_and_rooms":         readsOfMany,
		"Heads/count_the_users_own_messages":       headsCountOwn,
		"Heads/of_rooms_without_messages":          headsWithoutMessages,
		"Heads/of_many_users":                      headsOfMany,
		"Lease/has_one_holder":                     leaseHasOneHolder,
		"Post/is_relayed":                          postIsRelayed,
		"Positions/in_order":                       positionsInOrder,
		"Written/part_by_part":                     writtenPartByPart,
		"Written/ends_at_its_bytes":                writtenEndsAtBytes,
		"Erase/part_by_part":                       erasesPartByPart,
		"Erase/of_nobody":                          erasesNobody,
		"Rooms/in_order":                           roomsInOrder,
		"Expire/part_by_part":                      expiresPartByPart,
		"Expire/passes_over_times_in_the_future":   expiresOverTheFuture,
		"Record/every_field":                       wholeRecords,
		"Record/tombstones_keep_what_is_named":     wholeTombstones,
		"Position_and_Head/every_field":            wholePositions,
		"Event/every_field":                        wholeEvents,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func keepsEveryField(t *testing.T, s chat.Store) {
	plain := message("room", "ann", "c-1", 1)
	odd := message("room", "ann", "c-2", 2)
	odd.Content.Text = "$set {\"a\":1}\n日本 🙂 \u0000 \u2028 ' \" \\ <b>"
	mustAppend(t, s, plain, odd)
	for i, got := range log(t, s, "room") {
		same(t, got, []chat.Record{plain, odd}[i])
	}
	if got := tail(t, s, "room"); got != 2 {
		t.Fatalf("tail is %d", got)
	}
}

func stopsAtSeq(t *testing.T, s chat.Store) {
	mustAppend(t, s, messages("room", "ann", 1, 3)...)
	batch := append(messages("other", "ben", 1, 2), messages("room", "ben", 3, 2)...)
	batch = append(batch, messages("third", "ben", 1, 1)...)
	stored, err := s.Append(within(t), batch)
	if stored != 2 || !errors.Is(err, chat.ErrSeqTaken) {
		t.Fatalf("stored %d, %v", stored, err)
	}
	wantTails(t, s, map[string]int64{"room": 3, "other": 2})
	mustAppend(t, s, append(messages("room", "ben", 4, 1), messages("third", "ben", 1, 1)...)...)
	wantTails(t, s, map[string]int64{"room": 4, "other": 2, "third": 1})
}

func stopsAtClientID(t *testing.T, s chat.Store) {
	first := message("room", "ann", "c", 1)
	mustAppend(t, s, first)
	again := message("room", "ann", "c", 3)
	stored, err := s.Append(within(t), []chat.Record{message("room", "ben", "c", 2), again, message("room", "ben", "d", 4)})
	if stored != 1 || !errors.Is(err, chat.ErrClientIDTaken) {
		t.Fatalf("stored %d, %v", stored, err)
	}
	mustAppend(t, s, message("else", "ann", "c", 1)) // the same id in another room is another key
	wantTails(t, s, map[string]int64{"room": 2, "else": 1})
	same(t, log(t, s, "room")[0], first)
}

func appendsManyRooms(t *testing.T, s chat.Store) {
	var batch []chat.Record
	for seq := range 3 {
		for room := range 30 {
			batch = append(batch, message(fmt.Sprintf("room-%d", room), "ann", fmt.Sprint(seq), int64(seq)+1))
		}
	}
	mustAppend(t, s, batch...)
	for room := range 30 {
		if got := len(log(t, s, fmt.Sprintf("room-%d", room))); got != 3 {
			t.Fatalf("room %d has %d messages", room, got)
		}
	}
}

func tailsOfNothing(t *testing.T, s chat.Store) {
	mustAppend(t, s, messages("room", "ann", 1, 1)...)
	for _, rooms := range [][]string{nil, {"unknown"}} {
		tails, err := s.Tails(within(t), rooms)
		if err != nil || len(tails) != 0 {
			t.Fatalf("tails of %v are %v, %v", rooms, tails, err)
		}
	}
}

func findsByClientID(t *testing.T, s chat.Store) {
	stored := messages("room", "ann", 1, 3)
	mustAppend(t, s, stored...)
	missing := chat.Key{RoomID: "room", SenderID: "ben", ClientID: stored[0].ClientID}
	found, err := s.ByClientID(within(t), []chat.Key{stored[0].Key(), missing, stored[2].Key()})
	if err != nil || len(found) != 2 {
		t.Fatalf("found %v, %v", found, err)
	}
	same(t, found[stored[0].Key()], stored[0])
	same(t, found[stored[2].Key()], stored[2])
	if found, err := s.ByClientID(within(t), nil); err != nil || len(found) != 0 {
		t.Fatalf("found %v, %v", found, err)
	}
}

func pages(t *testing.T, s chat.Store) {
	mustAppend(t, s, messages("room", "ann", 1, 10)...)
	mustAppend(t, s, messages("sooner", "ann", 1, 10)...)
	for name, c := range map[string]struct {
		r    chat.Range
		want []int64
	}{
		"oldest first":     {chat.Range{From: 3, To: 10, Limit: 3}, []int64{3, 4, 5}},
		"newest first":     {chat.Range{From: 1, To: 8, Limit: 3, Newest: true}, []int64{8, 7, 6}},
		"to its end":       {chat.Range{From: 9, To: 100, Limit: 5}, []int64{9, 10}},
		"to its beginning": {chat.Range{From: 1, To: 2, Limit: 5, Newest: true}, []int64{2, 1}},
		"empty":            {chat.Range{From: 11, To: 20, Limit: 5}, nil},
	} {
		c.r.RoomID, c.r.Bytes = "room", 1<<20
		got, err := s.Page(within(t), c.r)
		if err != nil {
			t.Fatal(err)
		}
		wantSeqs(t, name, got, c.want...)
	}
}

func pageEndsAtBytes(t *testing.T, s chat.Store) {
	batch := messages("room", "ann", 1, 5)
	for i := range batch {
		batch[i].Content.Text = strings.Repeat("<", 1000) // 6,000 as JSON
	}
	mustAppend(t, s, batch...)
	size := batch[0].Size()
	for bytes, want := range map[int][]int64{1: {1}, size: {1}, 3*size - 1: {1, 2}, 3 * size: {1, 2, 3}} {
		got, err := s.Page(within(t), chat.Range{RoomID: "room", From: 1, To: 5, Limit: 5, Bytes: bytes})
		if err != nil {
			t.Fatal(err)
		}
		wantSeqs(t, fmt.Sprint(bytes, " bytes"), got, want...)
	}
}

func readsSingleMessages(t *testing.T, s chat.Store) {
	a, b := messages("a", "ann", 1, 3), messages("b", "ann", 1, 3)
	mustAppend(t, s, append(a, b...)...)
	got, err := s.Messages(within(t), []chat.Place{{RoomID: "a", Seq: 2}, {RoomID: "b", Seq: 3}, {RoomID: "c", Seq: 1}})
	if err != nil || len(got) != 2 {
		t.Fatalf("got %v, %v", got, err)
	}
	same(t, got["a"], a[1])
	same(t, got["b"], b[2])
	if got, err := s.Messages(within(t), nil); err != nil || len(got) != 0 {
		t.Fatalf("got %v, %v", got, err)
	}
}

func leavesTombstone(t *testing.T, s chat.Store) {
	all := messages("room", "ann", 1, 3)
	mustAppend(t, s, all...)
	r := removal(t, all[1], "ben")
	removed, err := s.Remove(within(t), r)
	if err != nil || !removed {
		t.Fatalf("removed %v, %v", removed, err)
	}
	want := all[1]
	want.Type, want.Content, want.Hash, want.RemovedAt, want.RemovedBy = contract.MessageRemoved, contract.Content{}, chat.Hash{}, &r.At, "ben"
	same(t, log(t, s, "room")[1], want)
	found, err := s.ByClientID(within(t), []chat.Key{want.Key()})
	if err != nil {
		t.Fatal(err)
	}
	same(t, found[want.Key()], want)

	events, err := s.Pending(within(t), 10)
	if err != nil || len(events) != 1 || events[0].ID != r.Events[0].ID || string(events[0].Payload) != string(r.Events[0].Payload) {
		t.Fatalf("pending %v, %v", events, err)
	}
	if removed, err := s.Remove(within(t), removal(t, all[1], "cem")); err != nil || removed {
		t.Fatalf("removed again: %v, %v", removed, err)
	}
	if err := s.Done(within(t), events); err != nil {
		t.Fatal(err)
	}
	if events, err := s.Pending(within(t), 10); err != nil || len(events) != 0 {
		t.Fatalf("pending after done: %v, %v", events, err)
	}
	if removed, err := s.Remove(within(t), removal(t, all[1], "cem")); err != nil || removed {
		t.Fatalf("removed again after relay: %v, %v", removed, err)
	}
	same(t, log(t, s, "room")[1], want)
}

func removesOnlyWhatIsThere(t *testing.T, s chat.Store) {
	removed, err := s.Remove(within(t), removal(t, message("room", "ann", "c", 7), "ann"))
	if err != nil || removed {
		t.Fatalf("removed %v, %v", removed, err)
	}
	if events, err := s.Pending(within(t), 10); err != nil || len(events) != 0 {
		t.Fatalf("pending %v, %v", events, err)
	}
}

func readsNeverMoveBack(t *testing.T, s chat.Store) {
	mustAppend(t, s, messages("room", "ann", 1, 9)...)
	for i, step := range []struct {
		seq   int64
		moved bool
		now   int64
	}{{3, true, 3}, {3, false, 3}, {2, false, 3}, {9, true, 9}, {8, false, 9}} {
		want := chat.Position{UserID: "ben", RoomID: "room", Seq: step.seq}
		moved, err := s.SetReads(within(t), []chat.Position{want})
		if err != nil || (len(moved) == 1) != step.moved || step.moved && moved[0] != want {
			t.Fatalf("step %d: moved %v, %v", i, moved, err)
		}
		if got := head(t, s, "ben", "room").ReadSeq; got != step.now {
			t.Fatalf("step %d: position is %d, want %d", i, got, step.now)
		}
	}
	if got := head(t, s, "cem", "room").ReadSeq; got != 0 {
		t.Fatalf("another user's position is %d", got)
	}
}

// readsOfMany moves positions of which some are behind already: they stay, and
// the others are those that moved.
func readsOfMany(t *testing.T, s chat.Store) {
	if moved, err := s.SetReads(within(t), nil); err != nil || len(moved) != 0 {
		t.Fatalf("no positions moved %v, %v", moved, err)
	}
	const n = 30
	var positions, further []chat.Position
	for i := range n {
		room := fmt.Sprint("room-", i%3)
		at := chat.Position{UserID: fmt.Sprint("user-", i), RoomID: room, Seq: 5}
		positions = append(positions, at)
		at.Seq = 6 - int64(i%2)*2 // every other one is back at 4
		further = append(further, at)
	}
	mustAppend(t, s, append(append(messages("room-0", "ann", 1, 9), messages("room-1", "ann", 1, 9)...), messages("room-2", "ann", 1, 9)...)...)
	moved, err := s.SetReads(within(t), positions)
	if err != nil || len(moved) != n {
		t.Fatalf("%d moved, %v", len(moved), err)
	}
	moved, err = s.SetReads(within(t), further)
	if err != nil || len(moved) != n/2 {
		t.Fatalf("%d moved the second time, %v", len(moved), err)
	}
	for _, p := range moved {
		if p.Seq != 6 {
			t.Fatalf("%+v moved", p)
		}
	}
	for i, p := range further {
		if got := head(t, s, p.UserID, p.RoomID).ReadSeq; got != max(5, p.Seq) {
			t.Fatalf("position %d is %d, want %d", i, got, max(5, p.Seq))
		}
	}
}

func headsCountOwn(t *testing.T, s chat.Store) {
	batch := []chat.Record{message("room", "ann", "1", 1), message("room", "ben", "1", 2), message("room", "ann", "2", 3)}
	batch[2].SentAt = contract.NewTime(batch[0].SentAt.Add(time.Minute))
	mustAppend(t, s, batch...)
	if got, want := head(t, s, "ann", "room"), (chat.Head{LastSeq: 3, SentAt: batch[2].SentAt, ReadSeq: 3}); got != want {
		t.Fatalf("the last sender's head is %+v, want %+v", got, want)
	}
	if got := head(t, s, "cem", "room"); got.LastSeq != 3 || got.ReadSeq != 0 {
		t.Fatalf("a reader's head is %+v", got)
	}
	// Ben's message is not the last: his position may follow a little later.
	deadline := time.Now().Add(limit)
	for head(t, s, "ben", "room").ReadSeq != 2 {
		if time.Now().After(deadline) {
			t.Fatalf("an earlier sender's head is %+v", head(t, s, "ben", "room"))
		}
		time.Sleep(time.Millisecond)
	}
}

func headsWithoutMessages(t *testing.T, s chat.Store) {
	for _, rooms := range [][]string{nil, {"unknown"}} {
		heads, err := s.Heads(within(t), chat.UserRooms{UserID: "ann", RoomIDs: rooms})
		if err != nil || len(heads[0]) != 0 {
			t.Fatalf("heads of %v are %v, %v", rooms, heads, err)
		}
	}
}

func leaseHasOneHolder(t *testing.T, s chat.Store) {
	lease := func(holder string, ttl time.Duration) bool {
		t.Helper()
		held, err := s.Lease(within(t), holder, ttl)
		if err != nil {
			t.Fatal(err)
		}
		return held
	}
	if !lease("one", time.Minute) || lease("two", time.Minute) || !lease("one", time.Minute) {
		t.Fatal("the lease does not stay with its holder")
	}
}

func head(t *testing.T, s chat.Store, user, room string) chat.Head {
	t.Helper()
	heads, err := s.Heads(within(t), chat.UserRooms{UserID: user, RoomIDs: []string{room}})
	if err != nil {
		t.Fatal(err)
	}
	return heads[0][room]
}

// headsOfMany are each user's own.
func headsOfMany(t *testing.T, s chat.Store) {
	var all []chat.UserRooms
	for u := range 6 {
		of := chat.UserRooms{UserID: fmt.Sprint("user-", u)}
		for r := u; r < u+3; r++ {
			of.RoomIDs = append(of.RoomIDs, fmt.Sprint("room-", r))
		}
		mustAppend(t, s, message(of.RoomIDs[0], "ben", "1", 1), message(of.RoomIDs[0], "ben", "2", 2))
		read := []chat.Position{{UserID: of.UserID, RoomID: "room-elsewhere", Seq: 1}, {UserID: of.UserID, RoomID: of.RoomIDs[0], Seq: 2}}
		if _, err := s.SetReads(within(t), read); err != nil {
			t.Fatal(err)
		}
		all = append(all, of)
	}
	all = append(all, all[3], chat.UserRooms{UserID: "cem", RoomIDs: []string{"room-3"}}, chat.UserRooms{UserID: "user-1"})
	heads, err := s.Heads(within(t), all...)
	if err != nil || len(heads) != len(all) {
		t.Fatalf("%d heads, %v", len(heads), err)
	}
	for i, of := range all {
		alone, err := s.Heads(within(t), of)
		if err != nil || len(alone) != 1 || !maps.Equal(heads[i], alone[0]) {
			t.Fatalf("of %s: %v among others, %v alone, %v", of.UserID, heads[i], alone, err)
		}
		if _, ok := heads[i]["room-elsewhere"]; ok {
			t.Fatalf("%s got a room not asked for", of.UserID)
		}
	}
	if h := heads[2]; len(h) != 3 || h["room-2"].ReadSeq != 2 || h["room-2"].LastSeq != 2 || h["room-3"].ReadSeq != 0 || h["room-3"].LastSeq != 2 {
		t.Fatalf("user-2's heads are %v", h)
	}
}

func wantTails(t *testing.T, s chat.Store, want map[string]int64) {
	t.Helper()
	for room, seq := range want {
		if got := tail(t, s, room); got != seq || len(log(t, s, room)) != int(seq) {
			t.Fatalf("tail of %s is %d with %d messages, want %d", room, got, len(log(t, s, room)), seq)
		}
	}
}

func wantSeqs(t *testing.T, name string, got []chat.Record, want ...int64) {
	t.Helper()
	var seqs []int64
	for _, m := range got {
		seqs = append(seqs, m.Seq)
	}
	if fmt.Sprint(seqs) != fmt.Sprint(want) {
		t.Fatalf("%s: got %v, want %v", name, seqs, want)
	}
}

func wholeSchema(t *testing.T, s chat.Store) {
	state, err := s.Schema(within(t))
	if err != nil || state.Steps != state.Known || len(state.Missing) > 0 {
		t.Errorf("got %+v, %v", state, err)
	}
}
