package social_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/filled"
	"github.com/parley-im/parley/pkg/id"
	"github.com/parley-im/parley/pkg/rpc"
	"github.com/parley-im/parley/services/social"
)

var act = contract.Act{By: "root@ops", Reason: "a complaint"}

// audits are the audit events, of all n events that there are.
func (w *world) audits(t *testing.T, n int) []contract.AuditEvent {
	t.Helper()
	var list []contract.AuditEvent
	for _, m := range w.events(t, n) {
		if m.Subject() != contract.SocialAudit.Subject() {
			continue
		}
		body, err := contract.SocialAudit.Decode(m.Data())
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, body.Data)
	}
	return list
}

// refused fails the test unless the call ends with the code.
func refused[Req, Rep any](t *testing.T, w *world, want fault.Code, m contract.Method[Req, Rep], req Req) {
	t.Helper()
	if _, err := rpc.Call(t.Context(), w.calls, m, req); !fault.Is(err, want) {
		t.Errorf("%s: got %v, want %s", m.Name, err, want)
	}
}

func befriend(t *testing.T, w *world, user string, others ...string) {
	t.Helper()
	for _, other := range others {
		call(t, w, contract.AddFriend, contract.AddFriendRequest{Caller: as(user), UserID: other})
	}
}

func TestAdmin_shows_and_disbands_rooms(t *testing.T) {
	w := newWorld(t)
	w.start(t)
	befriend(t, w, "u1", "u2")
	pair := id.Pair("u1", "u2")
	group := call(t, w, contract.CreateRoom, contract.CreateRoomRequest{Caller: as("u1"), Name: "g", MemberIDs: []string{"u2"}}).Room.ID

	room := call(t, w, contract.ShowRoom, contract.AdminRoomRequest{Act: act, RoomID: group})
	if room.ID != group || room.Type != contract.RoomGroup || room.Name != "g" || room.OwnerID != "u1" || room.Closed || room.MemberCount != 2 || room.Rev != 1 {
		t.Errorf("the group is %+v", room)
	}
	if room := call(t, w, contract.ShowRoom, contract.AdminRoomRequest{Act: act, RoomID: pair}); room.Type != contract.RoomDirect || room.Closed || room.MemberCount != 2 {
		t.Errorf("the direct room is %+v", room)
	}
	page := call(t, w, contract.ShowMembers, contract.AdminMembersRequest{Act: act, RoomID: group, Limit: 1})
	if len(page.Items) != 1 || page.Items[0].UserID != "u1" || page.NextCursor == "" {
		t.Errorf("the first page is %+v", page)
	}
	page = call(t, w, contract.ShowMembers, contract.AdminMembersRequest{Act: act, RoomID: pair})
	if len(page.Items) != 2 || page.NextCursor != "" {
		t.Errorf("the members of the direct room are %+v", page)
	}
	refused(t, w, fault.NotFound, contract.ShowRoom, contract.AdminRoomRequest{Act: act, RoomID: "none"})
	refused(t, w, fault.NotFound, contract.ForceDisband, contract.AdminRoomRequest{Act: act, RoomID: "none"})
	refused(t, w, fault.FailedPrecondition, contract.ForceDisband, contract.AdminRoomRequest{Act: act, RoomID: pair})
	refused(t, w, fault.InvalidArgument, contract.ForceDisband, contract.AdminRoomRequest{RoomID: group})
	refused(t, w, fault.InvalidArgument, contract.ShowRoom, contract.AdminRoomRequest{Act: act, RoomID: "a.b"})
	refused(t, w, fault.InvalidArgument, contract.ShowMembers, contract.AdminMembersRequest{Act: act, RoomID: group, Limit: 201})

	heard := w.listen(t, "im.room."+group+".>")
	for range 2 { // the second changes nothing, and is told again
		room = call(t, w, contract.ForceDisband, contract.AdminRoomRequest{Act: act, RoomID: group})
		if !room.Closed || room.MemberCount != 0 || room.Rev != 2 {
			t.Errorf("disbanded is %+v", room)
		}
		if m := hear(t, heard); !strings.HasSuffix(m.Subject, ".room.disbanded") {
			t.Errorf("heard %s", m.Subject)
		}
	}
	refused(t, w, fault.NotFound, contract.ListMembers, contract.ListMembersRequest{Caller: as("u1"), RoomID: group})

	want := []contract.AuditEvent{
		{By: act.By, Reason: act.Reason, Action: "show_room", RoomID: group},
		{By: act.By, Reason: act.Reason, Action: "show_room", RoomID: pair},
		{By: act.By, Reason: act.Reason, Action: "show_members", RoomID: group},
		{By: act.By, Reason: act.Reason, Action: "show_members", RoomID: pair},
		{By: act.By, Reason: act.Reason, Action: "force_disband", RoomID: group},
	}
	const changes = 3 // a friendship, a group, its end
	got := w.audits(t, len(want)+changes)
	byRoom := func(a, b contract.AuditEvent) int { return strings.Compare(a.RoomID, b.RoomID) } // there is no order between rooms
	slices.SortStableFunc(got, byRoom)
	slices.SortStableFunc(want, byRoom)
	if !slices.Equal(got, want) {
		t.Errorf("audited\n%+v, want\n%+v", got, want)
	}
}

func (w *world) listen(t *testing.T, subject string) *nats.Subscription {
	t.Helper()
	sub, err := w.nc.SubscribeSync(subject)
	if err == nil {
		err = w.nc.Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
	return sub
}

func hear(t *testing.T, sub *nats.Subscription) *nats.Msg {
	t.Helper()
	m, err := sub.NextMsgWithContext(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestAdmin_announces_a_user_to_all_their_rooms(t *testing.T) {
	w := newWorld(t)
	w.start(t)
	befriend(t, w, "u1", "u2", "u3")
	call(t, w, contract.RemoveFriend, contract.RemoveFriendRequest{Caller: as("u1"), UserID: "u3"}) // still listed with u3
	group := call(t, w, contract.CreateRoom, contract.CreateRoomRequest{Caller: as("u1"), Name: "g"}).Room.ID
	call(t, w, contract.CreateRoom, contract.CreateRoomRequest{Caller: as("u2"), Name: "another"})

	heard := w.listen(t, contract.EveryRoom(contract.UserDisabled.Op))
	call(t, w, contract.AnnounceUser, contract.AnnounceUserRequest{UserID: "u1", Disabled: true})
	var got []string
	want := []string{id.Pair("u1", "u2"), id.Pair("u1", "u3"), group}
	for range want {
		data, err := contract.UserDisabled.Decode(hear(t, heard).Data)
		if err != nil || data.UserID != "u1" || !data.Disabled {
			t.Fatalf("heard %+v, %v", data, err)
		}
		got = append(got, data.RoomID)
	}
	if slices.Sort(got); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
		t.Errorf("told %v, want %v", got, want)
	}
	call(t, w, contract.AnnounceUser, contract.AnnounceUserRequest{UserID: "u4", Disabled: true}) // in no room
	refused(t, w, fault.InvalidArgument, contract.AnnounceUser, contract.AnnounceUserRequest{UserID: "a b"})
}

func TestAdmin_exports_and_erases_a_user(t *testing.T) {
	w := newWorld(t)
	w.start(t)
	befriend(t, w, "u1", "u2", "u3")
	befriend(t, w, "u2", "u3")
	call(t, w, contract.RemoveFriend, contract.RemoveFriendRequest{Caller: as("u1"), UserID: "u3"})
	owned := call(t, w, contract.CreateRoom, contract.CreateRoomRequest{Caller: as("u1"), Name: "owned", MemberIDs: []string{"u2"}}).Room.ID
	alone := call(t, w, contract.CreateRoom, contract.CreateRoomRequest{Caller: as("u1"), Name: "alone"}).Room.ID

	page := call(t, w, contract.ExportSocial, contract.ExportRequest{Act: act, UserID: "u1"})
	found := map[string]string{}
	for _, item := range page.Items {
		var data struct {
			RoomID string `json:"room_id"`
			UserID string `json:"user_id"`
			Ended  bool   `json:"ended"`
			Name   string `json:"name"`
			Role   string `json:"role"`
		}
		if err := json.Unmarshal(item.Data, &data); err != nil {
			t.Fatal(err)
		}
		found[data.RoomID] = fmt.Sprintf("%s %s%s %v %s", item.Kind, data.UserID, data.Name, data.Ended, data.Role)
	}
	want := map[string]string{
		id.Pair("u1", "u2"): "friendship u2 false ", id.Pair("u1", "u3"): "friendship u3 true ",
		owned: "group owned false owner", alone: "group alone false owner",
	}
	if page.NextCursor != "" || fmt.Sprint(found) != fmt.Sprint(want) {
		t.Errorf("exported %+v, want %+v", found, want)
	}

	for range 2 { // again at any time
		reply := call(t, w, contract.EraseSocial, contract.AdminUserRequest{Act: act, UserID: "u1"})
		if !reply.Done {
			t.Fatalf("not done: %+v", reply)
		}
	}
	if left := call(t, w, contract.ListFriends, contract.ListFriendsRequest{Caller: as("u2")}); len(left.Items) != 1 || left.Items[0].UserID != "u3" {
		t.Errorf("the friends of u2 are %+v", left.Items)
	}
	if room := call(t, w, contract.ShowRoom, contract.AdminRoomRequest{Act: act, RoomID: owned}); room.OwnerID != "u2" || room.MemberCount != 1 || room.Closed {
		t.Errorf("the group that u1 owned is %+v", room)
	}
	if room := call(t, w, contract.ShowRoom, contract.AdminRoomRequest{Act: act, RoomID: alone}); !room.Closed {
		t.Errorf("the group that u1 was alone in is %+v", room)
	}
	refused(t, w, fault.NotFound, contract.ShowRoom, contract.AdminRoomRequest{Act: act, RoomID: "x"})

	const changes = 3 + 1 + 2 + 1 + 2 // befriended, unfriended, groups; and what the erasure changed
	erased := map[string]int{}
	for _, a := range w.audits(t, changes+7) {
		if a.Action == "erase_user" && a.UserID == "u1" && a.By == act.By {
			erased[a.RoomID]++
		}
	}
	// One for each record, in its write; and one of the call that found none.
	if want := map[string]int{id.Pair("u1", "u2"): 1, owned: 1, alone: 1, "": 1}; fmt.Sprint(erased) != fmt.Sprint(want) {
		t.Errorf("audited %v, want %v", erased, want)
	}
}

// TestAdmin_erases_all_but_what_is_named erases a user of whose records every
// field is set. A field that is added later is erased, or named here with why it
// may stay.
func TestAdmin_erases_all_but_what_is_named(t *testing.T) {
	w := newWorld(t)
	w.start(t)
	store, err := social.OpenStore(t.Context(), w.store)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	friendship, room := filled.Of[social.Friendship](1), filled.Of[social.Room](2)
	user := friendship.A
	friendship.ID, friendship.State, friendship.Rev = id.Pair(friendship.A, friendship.B), social.StateFriends, 1
	room.CreatedBy, room.Members[0].UserID, room.Disbanded, room.Rev = user, user, false, 1
	if err := errors.Join(store.SaveFriendship(t.Context(), friendship, nil), store.SaveRoom(t.Context(), room, nil)); err != nil {
		t.Fatal(err)
	}
	if reply := call(t, w, contract.EraseSocial, contract.AdminUserRequest{Act: act, UserID: user}); !reply.Done {
		t.Fatalf("got %+v", reply)
	}

	ended, err := store.Friendship(t.Context(), friendship.ID)
	if err != nil || ended == nil {
		t.Fatalf("got %v, %v", ended, err)
	}
	filled.Left(t, "a friendship", friendship, *ended, "ID", "A", "B", "CreatedAt") // ids: their room is the other's, too
	after, err := store.Room(t.Context(), room.ID)
	if err != nil || after == nil {
		t.Fatalf("got %v, %v", after, err)
	}
	filled.Left(t, "a room of others", room, *after,
		"ID", "Name", "History", "CreatedAt", // the room is the others'
		"CreatedBy", "ClientID") // ids, by which a request that made a room is known again
	if len(after.Members) != 1 {
		t.Fatalf("the members are %+v", after.Members)
	}
	filled.Same(t, "a member who stays", after.Members[0], room.Members[1])
	lists, err := store.Memberships(t.Context(), user)
	if err != nil || len(lists) != 1 || len(lists[0]) != 1 || !lists[0][0].Closed {
		t.Errorf("the user's places are %+v, %v, want that in the ended friendship", lists, err)
	}
}

// An export of more rooms than a page has, and an erasure of more than a call
// does.
func TestAdmin_goes_part_by_part(t *testing.T) {
	w := newWorld(t)
	w.start(t)
	const rooms = 205
	for i := range rooms {
		call(t, w, contract.CreateRoom, contract.CreateRoomRequest{Caller: as("u1"), Name: fmt.Sprint(i)})
	}
	seen := map[string]bool{}
	for cursor, pages := "", 0; ; pages++ {
		page := call(t, w, contract.ExportSocial, contract.ExportRequest{Act: act, UserID: "u1", Cursor: cursor})
		for _, item := range page.Items {
			seen[string(item.Data)] = true
		}
		if cursor = page.NextCursor; cursor == "" {
			if len(seen) != rooms || pages != 1 {
				t.Fatalf("%d rooms on %d pages", len(seen), pages+1)
			}
			break
		}
	}
	for left := rooms; ; {
		reply := call(t, w, contract.EraseSocial, contract.AdminUserRequest{Act: act, UserID: "u1"})
		left -= reply.Erased
		if reply.Erased == 0 || reply.Erased > 50 || reply.Done != (left == 0) {
			t.Fatalf("%+v with %d left", reply, left)
		}
		if reply.Done {
			break
		}
	}
}
