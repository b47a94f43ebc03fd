package chat

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
)

func TestRoomState(t *testing.T) {
	joined, sent := contract.FromMilli(1000), contract.FromMilli(2000)
	for name, c := range map[string]struct {
		first, last, read int64
		unread            int64
		active            contract.Time
	}{
		"nothing said yet":                {1, 0, 0, 0, joined},
		"nothing read yet":                {1, 7, 0, 7, sent},
		"some read":                       {1, 7, 5, 2, sent},
		"all read":                        {1, 7, 7, 0, sent},
		"joined late":                     {5, 7, 0, 3, sent},
		"joined late and read":            {5, 7, 6, 1, sent},
		"joined late, read long ago":      {5, 7, 2, 3, sent},
		"joined, nothing said since":      {8, 7, 0, 0, joined},
		"the head is behind the position": {1, 7, 9, 0, sent}, // of two reads one was later
	} {
		t.Run(name, func(t *testing.T) {
			s := roomState(contract.Membership{RoomID: "room", FirstSeq: c.first, JoinedAt: joined}, Head{LastSeq: c.last, ReadSeq: c.read, SentAt: sent})
			if s.Unread != c.unread || s.ActiveAt != c.active || s.FirstSeq != c.first || s.LastSeq != c.last {
				t.Fatalf("got %+v", s)
			}
		})
	}
}

func TestRooms_List(t *testing.T) {
	store := newStore(t)
	var all []contract.Membership
	start := time.Now().Truncate(time.Millisecond)
	for i := range 30 {
		id := fmt.Sprintf("room-%02d", i)
		m := contract.Membership{RoomID: id, FirstSeq: 1, Rev: int64(i), JoinedAt: contract.NewTime(start.Add(time.Duration(i/10) * time.Second))}
		if i%3 == 0 { // others have only their making
			r := record(id, "ann", "c")
			r.Seq, r.SentAt = 1, contract.NewTime(start.Add(time.Duration(i)*time.Minute))
			if _, err := store.Append(within(t), []Record{r}); err != nil {
				t.Fatal(err)
			}
		}
		all = append(all, m)
	}
	rooms := testRooms(store, &all)

	for _, limit := range []int{1, 7, 29, 30, 200} {
		var seen []contract.RoomState
		req := contract.ListRoomsRequest{Caller: contract.Caller{UserID: "ben"}, Limit: limit}
		for {
			page, err := rooms.List(within(t), req)
			if err != nil {
				t.Fatal(err)
			}
			if len(page.Items) > limit {
				t.Fatalf("a page of %d has %d", limit, len(page.Items))
			}
			seen = append(seen, page.Items...)
			if req.Cursor = page.NextCursor; req.Cursor == "" {
				break
			}
		}
		if len(seen) != len(all) {
			t.Fatalf("by %d: %d rooms, want %d", limit, len(seen), len(all))
		}
		for i, s := range seen {
			if i > 0 && cursorOf(seen[i-1]).compare(cursorOf(s)) >= 0 {
				t.Fatalf("by %d: %s at %s comes after %s at %s", limit, s.RoomID, s.ActiveAt, seen[i-1].RoomID, seen[i-1].ActiveAt)
			}
			if (s.LastMessage != nil) != (s.LastSeq > 0) {
				t.Fatalf("by %d: %+v", limit, s)
			}
		}
	}

	for _, cursor := range []string{"x", "!", "MTIz", "LnJvb20", "MTIzLio"} {
		_, err := rooms.List(within(t), contract.ListRoomsRequest{Caller: contract.Caller{UserID: "ben"}, Cursor: cursor})
		if !fault.Is(err, fault.InvalidArgument) {
			t.Fatalf("cursor %q: %v", cursor, err)
		}
	}
}

// Pages after the first are of the order that was seen, as the rooms stand by
// then: none is missed, whatever moves, and what is no longer theirs is left out.
func TestRooms_pages_while_rooms_move(t *testing.T) {
	store, start := newStore(t), time.Now()
	var all []contract.Membership
	said := func(room string, seq int64, at time.Duration) {
		t.Helper()
		r := record(room, "ann", fmt.Sprint(seq))
		r.Seq, r.SentAt = seq, contract.NewTime(start.Add(at))
		if _, err := store.Append(within(t), []Record{r}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 30 {
		id := fmt.Sprintf("room-%02d", i)
		said(id, 1, -time.Duration(i)*time.Minute) // room-00 is the latest
		all = append(all, contract.Membership{RoomID: id, FirstSeq: 1, JoinedAt: contract.NewTime(start.Add(-time.Hour))})
	}
	rooms, asked := testRooms(store, &all), 0
	list := rooms.list
	rooms.list = func(ctx context.Context, req contract.MembershipsRequest) ([]contract.Membership, string, error) {
		if len(req.RoomIDs) == 0 && req.Cursor == "" {
			asked++
		}
		return list(ctx, req)
	}
	req := contract.ListRoomsRequest{Caller: contract.Caller{UserID: "ben"}, Limit: 10}
	seen := map[string]contract.RoomState{}
	for n := 0; n == 0 || req.Cursor != ""; n++ {
		page, err := rooms.List(within(t), req)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range page.Items {
			if _, twice := seen[s.RoomID]; twice {
				t.Errorf("%s comes twice", s.RoomID)
			}
			seen[s.RoomID] = s
		}
		if req.Cursor = page.NextCursor; n == 0 {
			said("room-19", 2, time.Minute)                // the last of the second page becomes the latest
			said("room-25", 2, 2*time.Minute)              // and one of the third
			all = slices.Delete(slices.Clone(all), 15, 16) // they leave one
		}
	}
	if _, there := seen["room-15"]; there || len(seen) != 29 {
		t.Errorf("%d rooms were listed, one that was left: %v", len(seen), there)
	}
	for _, moved := range []string{"room-19", "room-25"} {
		if s := seen[moved]; s.LastSeq != 2 || s.LastMessage == nil || s.LastMessage.Seq != 2 || s.Unread != 2 {
			t.Errorf("%s is listed as it stood before: %+v", moved, s)
		}
	}
	if asked != 1 {
		t.Errorf("all rooms were asked for %d times", asked)
	}
}

func TestRoomOrders_are_bounded(t *testing.T) {
	now := time.Now()
	o := newRoomOrders(func() time.Time { return now })
	order := make([]cursor, maxOrderedRooms/4)
	for i := range order {
		order[i] = cursor{activeAt: int64(len(order) - i), roomID: "room"}
	}
	for i := range 10 {
		o.keep(fmt.Sprint("user-", i), order)
		o.keep(fmt.Sprint("user-", i), order)
	}
	if len(o.byUser) != 4 || o.queue.Len() != 4 || o.rooms != maxOrderedRooms {
		t.Fatalf("%d orders of %d rooms", len(o.byUser), o.rooms)
	}
	if next, more, ok := o.after("user-9", order[4], 2); !ok || !more || !slices.Equal(next, order[5:7]) {
		t.Errorf("next are %v, more %v, %v", next, more, ok)
	}
	if next, more, ok := o.after("user-9", order[len(order)-1], 2); !ok || more || len(next) != 0 {
		t.Errorf("after the last are %v, more %v, %v", next, more, ok)
	}
	if _, _, ok := o.after("user-5", order[4], 2); ok {
		t.Error("the oldest is remembered")
	}
	now = now.Add(roomOrderAge)
	if _, _, ok := o.after("user-9", order[4], 2); ok {
		t.Error("one is remembered for too long")
	}
	if o.keep("user-1", order[:2]); len(o.byUser) != 1 || o.rooms != 2 {
		t.Errorf("%d orders of %d rooms are kept although they are too old", len(o.byUser), o.rooms)
	}
}

func TestRooms_last_message_is_for_who_may_read_it(t *testing.T) {
	store := newStore(t)
	fill(t, store, "room", 4)
	for first, want := range map[int64]bool{1: true, 4: true, 5: false} {
		all := []contract.Membership{{RoomID: "room", FirstSeq: first}}
		states, err := testRooms(store, &all).States(within(t), contract.GetRoomStatesRequest{Caller: contract.Caller{UserID: "ben"}, RoomIDs: []string{"room"}})
		if err != nil || len(states) != 1 || (states[0].LastMessage != nil) != want {
			t.Fatalf("from %d on: %+v, %v", first, states, err)
		}
	}
}

func TestRooms_States_leaves_out_what_is_not_the_callers(t *testing.T) {
	store := newStore(t)
	all := []contract.Membership{{RoomID: "a", FirstSeq: 1}, {RoomID: "b", FirstSeq: 1}}
	rooms := testRooms(store, &all)
	for _, padding := range []int{0, 20} { // one by one, and all at once
		ids := []string{"b", "x", "a", "b"}
		for i := range padding {
			ids = append(ids, fmt.Sprint("other-", i))
		}
		states, err := rooms.States(within(t), contract.GetRoomStatesRequest{Caller: contract.Caller{UserID: "ben"}, RoomIDs: ids})
		if err != nil || len(states) != 2 || states[0].RoomID != "b" || states[1].RoomID != "a" {
			t.Fatalf("%+v, %v", states, err)
		}
	}
}

func TestRooms_pages_fit_into_a_reply(t *testing.T) {
	store := newStore(t)
	var all []contract.Membership
	var ids []string
	for i := range 100 {
		r := record(fmt.Sprint("room-", i), "ann", "c")
		r.Seq, r.Content.Text = 1, strings.Repeat("<", contract.MaxTextLength)
		if _, err := store.Append(within(t), []Record{r}); err != nil {
			t.Fatal(err)
		}
		all = append(all, contract.Membership{RoomID: r.RoomID, FirstSeq: 1})
		ids = append(ids, r.RoomID)
	}
	rooms := testRooms(store, &all)
	page, err := rooms.List(within(t), contract.ListRoomsRequest{Caller: contract.Caller{UserID: "ben"}, Limit: 100})
	if n := len(page.Items); err != nil || n < 20 || n > 22 || page.NextCursor == "" {
		t.Fatalf("%d rooms, %v", n, err)
	}
	if _, err := rooms.States(within(t), contract.GetRoomStatesRequest{Caller: contract.Caller{UserID: "ben"}, RoomIDs: ids}); !fault.Is(err, fault.PayloadTooLarge) {
		t.Fatal(err)
	}
}

// testRooms are Rooms of a user whose memberships are all.
func testRooms(store Store, all *[]contract.Membership) *Rooms {
	ask := func(_ context.Context, roomID, _ string) (contract.MembershipReply, error) {
		for _, m := range *all {
			if m.RoomID == roomID {
				return contract.MembershipReply{Member: true, Membership: m}, nil
			}
		}
		return contract.MembershipReply{}, nil
	}
	return &Rooms{
		store:   store,
		members: NewMemberships(ask, MembershipOptions{TTL: time.Second, Max: 1000, Timeout: time.Second, Now: time.Now}),
		orders:  newRoomOrders(time.Now),
		list: func(_ context.Context, req contract.MembershipsRequest) (page []contract.Membership, next string, err error) {
			page = slices.DeleteFunc(slices.Clone(*all), func(m contract.Membership) bool {
				return m.RoomID <= req.Cursor || len(req.RoomIDs) > 0 && !slices.Contains(req.RoomIDs, m.RoomID)
			})
			const most = 7 // on a page
			if len(req.RoomIDs) == 0 && len(page) > most {
				page, next = page[:most], page[most-1].RoomID
			}
			return page, next, nil
		},
	}
}
