package storetest

import (
	"testing"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/filled"
	"github.com/parley-im/parley/pkg/id"
	"github.com/parley-im/parley/services/social"
)

// filledFriendship is one that each verb finds. Of one that is saved again the
// fields may be others that say how it stands: State and Since.
func filledFriendship(seed int, rev int64) social.Friendship {
	f := filled.Of[social.Friendship](seed)
	f.ID, f.State, f.Rev = id.Pair(f.A, f.B), social.StateFriends, rev
	return f
}

func wholeFriendships(t *testing.T, s social.Store) {
	filled.Readers[social.Store, social.Friendship](t, "FriendsOf", "Friendship")
	inserted := filledFriendship(1, 1)
	saveFriendship(t, s, inserted)
	readsFriendship(t, s, inserted)

	updated := filledFriendship(2, 2)
	updated.ID, updated.A, updated.B, updated.CreatedAt = inserted.ID, inserted.A, inserted.B, inserted.CreatedAt
	saveFriendship(t, s, updated)
	readsFriendship(t, s, updated)

	ended := social.Friendship{
		ID: inserted.ID, A: inserted.A, B: inserted.B, CreatedAt: inserted.CreatedAt, State: social.StateNone, Since: inserted.Since, Rev: 3,
	}
	saveFriendship(t, s, ended)
	got, err := s.Friendship(within(t), ended.ID)
	if err != nil || got == nil {
		t.Fatalf("got %v, %v", got, err)
	}
	filled.Same(t, "a friendship whose fields were taken away", *got, ended)
}

// readsFriendship reads a friendship by all verbs, and the room that it is.
func readsFriendship(t *testing.T, s social.Store, want social.Friendship) {
	t.Helper()
	got, err := s.Friendship(within(t), want.ID)
	if err != nil || got == nil {
		t.Fatalf("Friendship: %v, %v", got, err)
	}
	filled.Same(t, "Friendship", *got, want)
	for _, userID := range []string{want.A, want.B} {
		list, err := s.FriendsOf(within(t), userID, "", 10)
		if err != nil || len(list) != 1 {
			t.Fatalf("FriendsOf: %v, %v", list, err)
		}
		filled.Same(t, "FriendsOf", list[0], want)
	}
	readsInfo(t, s, want.A, contract.RoomInfo{
		ID: want.ID, Type: contract.RoomDirect, PeerID: want.B, Role: contract.RoleMember, History: contract.HistoryAll,
		MemberCount: 2, FirstSeq: 1, Rev: want.Rev, CreatedAt: want.CreatedAt,
	}, "Name", "Closed") // direct rooms have no names; this one is open
	readsMembership(t, s, want.A, contract.MembershipReply{Member: true, MemberCount: 2, Membership: contract.Membership{
		RoomID: want.ID, Type: contract.RoomDirect, Role: contract.RoleMember, FirstSeq: 1, Rev: want.Rev, JoinedAt: want.CreatedAt,
	}})
}

// wholeRooms changes all fields of a room, but those that say how it was made:
// ID, CreatedBy, ClientID and CreatedAt.
func wholeRooms(t *testing.T, s social.Store) {
	filled.Readers[social.Store, social.Room](t, "Room", "RoomByClientID")
	inserted := filled.Of[social.Room](1)
	inserted.Rev = 1
	saveRoom(t, s, inserted)
	readsRoom(t, s, inserted)

	empty := social.Room{
		ID: inserted.ID, CreatedBy: inserted.CreatedBy, ClientID: inserted.ClientID, CreatedAt: inserted.CreatedAt, Rev: 2,
		Members: []social.Member{{UserID: inserted.Members[0].UserID, JoinedAt: inserted.CreatedAt}},
	}
	saveRoom(t, s, empty)
	filled.Same(t, "a room whose fields were taken away", *room(t, s, empty.ID), empty)

	updated := filled.Of[social.Room](2)
	updated.ID, updated.CreatedBy, updated.ClientID, updated.CreatedAt, updated.Rev = empty.ID, empty.CreatedBy, empty.ClientID, empty.CreatedAt, 3
	updated.Members[1].UserID = empty.Members[0].UserID // a member of before
	saveRoom(t, s, updated)
	readsRoom(t, s, updated)
}

// readsRoom reads a room by all verbs, and each member's place in it.
func readsRoom(t *testing.T, s social.Store, want social.Room) {
	t.Helper()
	filled.Same(t, "Room", *room(t, s, want.ID), want)
	made, err := s.RoomByClientID(within(t), want.CreatedBy, want.ClientID)
	if err != nil || made == nil {
		t.Fatalf("RoomByClientID: %v, %v", made, err)
	}
	filled.Same(t, "RoomByClientID", *made, want)
	for _, m := range want.Members {
		readsInfo(t, s, m.UserID, contract.RoomInfo{
			ID: want.ID, Type: contract.RoomGroup, Name: want.Name, Role: m.Role, History: want.History, MemberCount: len(want.Members),
			FirstSeq: m.FirstSeq, Rev: want.Rev, CreatedAt: want.CreatedAt,
		}, "PeerID", "Closed") // only direct rooms have these
		readsMembership(t, s, m.UserID, contract.MembershipReply{Member: true, MemberCount: len(want.Members), Membership: contract.Membership{
			RoomID: want.ID, Type: contract.RoomGroup, Role: m.Role, FirstSeq: m.FirstSeq, Rev: want.Rev, JoinedAt: m.JoinedAt,
		}})
	}
}

// readsInfo reads a room as a user sees it; only the named fields are empty.
func readsInfo(t *testing.T, s social.Store, userID string, want contract.RoomInfo, empty ...string) {
	t.Helper()
	filled.Readers[social.Store, contract.RoomInfo](t, "RoomInfos")
	infos, err := s.RoomInfos(within(t), userID, []string{want.ID})
	if err != nil || len(infos) != 1 {
		t.Fatalf("RoomInfos: %v, %v", infos, err)
	}
	filled.Same(t, "RoomInfos", infos[0], want)
	filled.Empty(t, "RoomInfos", infos[0], empty...)
}

// readsMembership reads a user's place in a room, open and their only one, by all verbs.
func readsMembership(t *testing.T, s social.Store, userID string, want contract.MembershipReply) {
	t.Helper()
	filled.Readers[social.Store, contract.Membership](t, "Memberships", "MembershipsAmong")
	filled.Readers[social.Store, contract.MembershipReply](t, "Membership")
	got, err := s.Membership(within(t), want.Membership.RoomID, userID)
	if err != nil {
		t.Fatal(err)
	}
	filled.Same(t, "Membership", got, want)
	filled.Empty(t, "Membership", got, "Membership.Closed")
	lists, err := s.Memberships(within(t), userID)
	if err != nil || len(lists) != 1 || len(lists[0]) != 1 {
		t.Fatalf("Memberships: %v, %v", lists, err)
	}
	filled.Same(t, "Memberships", lists[0][0], want.Membership)
	among, err := s.MembershipsAmong(within(t), userID, []string{want.Membership.RoomID})
	if err != nil || len(among) != 1 {
		t.Fatalf("MembershipsAmong: %v, %v", among, err)
	}
	filled.Same(t, "MembershipsAmong", among[0], want.Membership)
}

// wholeEvents sends an event through the outbox by each verb that writes one.
func wholeEvents(t *testing.T, s social.Store) {
	filled.Readers[social.Store, contract.Event](t, "Pending")
	for verb, write := range map[string]func(events []contract.Event) error{
		"SaveFriendship": func(e []contract.Event) error { return s.SaveFriendship(within(t), friendship("u1", "u2"), e) },
		"SaveRoom":       func(e []contract.Event) error { return s.SaveRoom(within(t), group("u1"), e) },
		"Post":           func(e []contract.Event) error { return s.Post(within(t), e) },
	} {
		want := filled.Of[contract.Event](1)
		if err := write([]contract.Event{want}); err != nil {
			t.Fatalf("%s: %v", verb, err)
		}
		got := drain(t, s)
		if len(got) != 1 {
			t.Fatalf("%s: %d events", verb, len(got))
		}
		filled.Same(t, "the event of "+verb, got[0], want)
	}
}
