package storetest

import (
	"slices"
	"testing"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
	"github.com/parley-im/parley/services/social"
)

// Sequential is what a store must do for one caller at a time.
func Sequential(t *testing.T, open Open) {
	for name, test := range map[string]func(*testing.T, social.Store){
		"Schema/is_whole_once_it_is_open":       wholeSchema,
		"Friendship/kept_under_its_revision":    friendshipKept,
		"FriendsOf/in_pages":                    friendPages,
		"FriendsAmong/only_friends":             friendsAmong,
		"Room/kept_under_its_revision":          roomKept,
		"Room/one_for_a_client_id":              roomOnce,
		"RoomInfos/only_the_user's":             roomInfos,
		"Membership/in_groups_and_direct":       memberships,
		"CountRooms/groups_and_direct":          countRooms,
		"Outbox/holds_what_was_written_with_it": outbox,
		"Outbox/holds_what_is_posted":           posted,
		"Friendship/every_field":                wholeFriendships,
		"Room/every_field":                      wholeRooms,
		"Event/every_field":                     wholeEvents,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func friendshipKept(t *testing.T, s social.Store) {
	f := friendship("u1", "u2")
	if got, err := s.Friendship(within(t), f.ID); err != nil || got != nil {
		t.Fatalf("before: %+v, %v", got, err)
	}
	saveFriendship(t, s, f)
	got, err := s.Friendship(within(t), f.ID)
	if err != nil || got == nil || *got != f {
		t.Fatalf("got %+v, %v; want %+v", got, err, f)
	}
	wantConflict(t, s.SaveFriendship(within(t), f, nil)) // there is one already
	drain(t, s)
	got, _ = s.Friendship(within(t), f.ID)
	f.Rev, f.State = got.Rev+1, social.StateNone
	saveFriendship(t, s, f)
	wantConflict(t, s.SaveFriendship(within(t), f, nil)) // the revision before is gone
	if got, err := s.Friendship(within(t), f.ID); err != nil || *got != f {
		t.Fatalf("got %+v, %v; want %+v", got, err, f)
	}
}

func friendPages(t *testing.T, s social.Store) {
	var want []string
	for _, other := range []string{"u0", "u2", "u3", "u4", "u5"} {
		f := friendship("u1", other)
		want = append(want, f.ID)
		saveFriendship(t, s, f)
	}
	ended := friendship("u1", "u6")
	ended.State = social.StateNone
	saveFriendship(t, s, ended)
	saveFriendship(t, s, friendship("u7", "u8"))
	slices.Sort(want)
	var got []string
	for after := ""; ; {
		list, err := s.FriendsOf(within(t), "u1", after, 2)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			break
		}
		for _, f := range list {
			got = append(got, f.ID)
		}
		after = got[len(got)-1]
	}
	if !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
}

func friendsAmong(t *testing.T, s social.Store) {
	saveFriendship(t, s, friendship("u1", "u2"))
	ended := friendship("u1", "u3")
	ended.State = social.StateNone
	saveFriendship(t, s, ended)
	got, err := s.FriendsAmong(within(t), "u1", []string{"u2", "u3", "u4"})
	if err != nil || !slices.Equal(got, []string{"u2"}) {
		t.Fatalf("got %q, %v", got, err)
	}
	if got, err := s.FriendsAmong(within(t), "u1", nil); err != nil || len(got) != 0 {
		t.Fatalf("among none: %q, %v", got, err)
	}
}

func roomKept(t *testing.T, s social.Store) {
	r := group("u1", "u2", "u3")
	if got := room(t, s, r.ID); got != nil {
		t.Fatalf("before: %+v", got)
	}
	saveRoom(t, s, r)
	got := room(t, s, r.ID)
	if got == nil || got.Name != r.Name || got.History != r.History || !got.CreatedAt.Equal(r.CreatedAt.Time) || !sameMembers(got.Members, r.Members) || got.Disbanded {
		t.Fatalf("got %+v, want %+v", got, r)
	}
	wantConflict(t, s.SaveRoom(within(t), r, nil))

	// A member leaves, another joins, roles and the name change.
	r = *got
	r.Rev++
	r.Name = "renamed"
	r.Members = append(r.Members[:1:1], social.Member{UserID: "u3", Role: contract.RoleAdmin, FirstSeq: 3, JoinedAt: now},
		social.Member{UserID: "u4", Role: contract.RoleMember, FirstSeq: 9, JoinedAt: now})
	saveRoom(t, s, r)
	if got := room(t, s, r.ID); got.Name != "renamed" || !sameMembers(got.Members, r.Members) || got.Rev != r.Rev {
		t.Fatalf("got %+v, want %+v", got, r)
	}
	wantConflict(t, s.SaveRoom(within(t), r, nil))

	// Disbanded it stays, with its revision and without members.
	r.Rev, r.Disbanded, r.Members = r.Rev+1, true, nil
	saveRoom(t, s, r)
	if got := room(t, s, r.ID); got == nil || !got.Disbanded || len(got.Members) != 0 || got.Rev != r.Rev {
		t.Fatalf("got %+v", got)
	}
}

func roomOnce(t *testing.T, s social.Store) {
	first, second := group("u1"), group("u1")
	first.ClientID, second.ClientID = "c1", "c1"
	saveRoom(t, s, first)
	wantConflict(t, s.SaveRoom(within(t), second, event(t, second.ID, 1)))
	got, err := s.RoomByClientID(within(t), "u1", "c1")
	if err != nil || got == nil || got.ID != first.ID || len(got.Members) != 1 {
		t.Fatalf("got %+v, %v", got, err)
	}
	if got, err := s.RoomByClientID(within(t), "u2", "c1"); err != nil || got != nil {
		t.Fatalf("another's: %+v, %v", got, err)
	}
	other := group("u2")
	other.ClientID = "c1"
	saveRoom(t, s, other)
	saveRoom(t, s, group("u1"))
	saveRoom(t, s, group("u1"))
}

func roomInfos(t *testing.T, s social.Store) {
	mine, others, pair := group("u1", "u2"), group("u2", "u3"), friendship("u1", "u2")
	saveRoom(t, s, mine)
	saveRoom(t, s, others)
	saveFriendship(t, s, pair)
	foreign := friendship("u2", "u3")
	saveFriendship(t, s, foreign)
	got, err := s.RoomInfos(within(t), "u1", []string{mine.ID, others.ID, pair.ID, foreign.ID, "none"})
	if err != nil || len(got) != 2 {
		t.Fatalf("got %+v, %v", got, err)
	}
	slices.SortFunc(got, func(a, b contract.RoomInfo) int { return len(a.Name) - len(b.Name) })
	if direct := got[0]; direct.ID != pair.ID || direct.PeerID != "u2" || direct.Closed || direct.FirstSeq != 1 || direct.MemberCount != 2 {
		t.Fatalf("direct %+v", direct)
	}
	if of := got[1]; of.ID != mine.ID || of.Name != "group" || of.Role != contract.RoleOwner || of.MemberCount != 2 || of.FirstSeq != 1 {
		t.Fatalf("group %+v", of)
	}
}

func memberships(t *testing.T, s social.Store) {
	g, pair := group("u1", "u2"), friendship("u2", "u9")
	pair.State = social.StateNone
	saveRoom(t, s, g)
	saveFriendship(t, s, pair)
	in, err := s.Membership(within(t), g.ID, "u2")
	if err != nil || !in.Member || in.Membership.FirstSeq != 2 || in.Membership.Role != contract.RoleMember || in.Membership.Rev < 1 || in.Membership.Type != contract.RoomGroup || in.MemberCount != 2 {
		t.Fatalf("got %+v, %v", in, err)
	}
	out, err := s.Membership(within(t), g.ID, "u3")
	if err != nil || out.Member || out.Membership.Rev != in.Membership.Rev || out.MemberCount != 0 {
		t.Fatalf("an outsider: %+v, %v", out, err)
	}
	if none, err := s.Membership(within(t), "none", "u3"); err != nil || none.Member || none.Membership.Rev != 0 {
		t.Fatalf("of no room: %+v, %v", none, err)
	}
	direct, err := s.Membership(within(t), pair.ID, "u9")
	if err != nil || !direct.Member || !direct.Membership.Closed || direct.Membership.FirstSeq != 1 || direct.MemberCount != 2 {
		t.Fatalf("direct: %+v, %v", direct, err)
	}
	if out, err := s.Membership(within(t), pair.ID, "u1"); err != nil || out.Member || out.Membership.Rev == 0 || out.MemberCount != 0 {
		t.Fatalf("not of the pair: %+v, %v", out, err)
	}
	if none, err := s.Membership(within(t), id.Pair("x", "y"), "x"); err != nil || none.Member {
		t.Fatalf("of no pair: %+v, %v", none, err)
	}
	all, err := s.Memberships(within(t), "u2", "nobody", "u9", "u2")
	if err != nil || len(all) != 4 || len(all[0]) != 2 || len(all[1]) != 0 || len(all[2]) != 1 || all[2][0] != direct.Membership || len(all[3]) != 2 {
		t.Fatalf("all of some: %+v, %v", all, err)
	}
	for _, m := range all[0] {
		if want := map[string]contract.Membership{g.ID: in.Membership, pair.ID: direct.Membership}[m.RoomID]; m != want {
			t.Fatalf("got %+v, want %+v", m, want)
		}
	}
	others, foreign := group("u1"), friendship("u7", "u8")
	saveRoom(t, s, others)
	saveFriendship(t, s, foreign)
	for _, of := range []contract.Membership{in.Membership, direct.Membership} {
		some, err := s.MembershipsAmong(within(t), "u2", []string{"none", of.RoomID, others.ID, foreign.ID, of.RoomID})
		if err != nil || len(some) != 1 || some[0] != of {
			t.Fatalf("some of u2: %+v, %v; want %+v", some, err, of)
		}
	}
	if some, err := s.MembershipsAmong(within(t), "u2", []string{"none"}); err != nil || len(some) != 0 {
		t.Fatalf("of no room: %+v, %v", some, err)
	}
}

func countRooms(t *testing.T, s social.Store) {
	saveRoom(t, s, group("u1", "u2"))
	saveRoom(t, s, group("u1"))
	ended := friendship("u1", "u3")
	ended.State = social.StateNone
	saveFriendship(t, s, ended)
	got, err := s.CountRooms(within(t), []string{"u1", "u2", "u3", "u4"})
	if err != nil || got["u1"] != 3 || got["u2"] != 1 || got["u3"] != 1 || got["u4"] != 0 {
		t.Fatalf("got %v, %v", got, err)
	}
}

func outbox(t *testing.T, s social.Store) {
	r := group("u1")
	var want []string
	save := func() {
		events := event(t, r.ID, r.Rev)
		want = append(want, events[0].ID)
		if err := s.SaveRoom(within(t), r, events); err != nil {
			t.Fatal(err)
		}
		r = *room(t, s, r.ID)
		r.Rev++
	}
	save()
	save()
	save()
	stale := r
	stale.Rev--
	wantConflict(t, s.SaveRoom(within(t), stale, event(t, r.ID, 99)))
	var got []string
	for _, e := range drain(t, s) {
		got = append(got, e.ID)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	if left := drain(t, s); len(left) != 0 {
		t.Fatalf("left %+v", left)
	}
	// A relayed event is no change of the room: the revision is that of the last
	// save, and the next one follows it.
	if stored := room(t, s, r.ID); stored.Rev != r.Rev-1 {
		t.Fatalf("the relay left revision %d, want %d", stored.Rev, r.Rev-1)
	}
	f := friendship("u1", "u2")
	saveFriendship(t, s, f)
	drain(t, s)
	stored, err := s.Friendship(within(t), f.ID)
	if err != nil || stored == nil || stored.Rev != f.Rev {
		t.Fatalf("the relay left %+v, %v, want revision %d", stored, err, f.Rev)
	}
	saveRoom(t, s, r)
	if events := drain(t, s); len(events) != 1 {
		t.Fatalf("relayed %+v, want the event of the last save", events)
	}
}

func wholeSchema(t *testing.T, s social.Store) {
	state, err := s.Schema(within(t))
	if err != nil || state.Steps != state.Known || len(state.Missing) > 0 {
		t.Errorf("got %+v, %v", state, err)
	}
}

func posted(t *testing.T, s social.Store) {
	saveRoom(t, s, group("u1"))
	drain(t, s)
	first, second := event(t, "any", 1), event(t, "any", 2)
	for _, events := range [][]contract.Event{first, second} {
		if err := s.Post(within(t), events); err != nil {
			t.Fatal(err)
		}
	}
	if got := drain(t, s); len(got) != 2 || got[0].ID != first[0].ID || got[1].ID != second[0].ID {
		t.Fatalf("relayed %+v", got)
	}
	if err := s.Post(within(t), first); err != nil {
		t.Fatal(err)
	}
	if got := drain(t, s); len(got) != 1 {
		t.Fatalf("relayed later: %+v", got)
	}
}
