package faults

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/services/social"
)

// told is an event as it lies in the stream.
func told[T any](t *testing.T, kind contract.EventType[T], id string, data T) Event {
	t.Helper()
	e, err := kind.New(id, "key", time.UnixMilli(1000), data)
	if err != nil {
		t.Fatal(err)
	}
	return Event{MsgID: e.ID, Data: e.Payload}
}

func member(userID string, role contract.Role, firstSeq int64) contract.RoomMember {
	return contract.RoomMember{UserID: userID, Role: role, FirstSeq: firstSeq, JoinedAt: contract.FromMilli(1000)}
}

// story is how ann, bob and eve became and were friends, and had a group.
func story(t *testing.T) []Event {
	t.Helper()
	pair := func(rev int64) contract.FriendshipEvent {
		return contract.FriendshipEvent{RoomID: "d_1", UserIDs: []string{"ann", "bob"}, Rev: rev}
	}
	return []Event{
		told(t, contract.FriendshipMade, "1", pair(1)),
		told(t, contract.GroupCreated, "2", contract.RoomEvent{RoomID: "g", Rev: 1, Members: []contract.RoomMember{
			member("ann", contract.RoleOwner, 1), member("bob", contract.RoleMember, 1),
		}}),
		told(t, contract.FriendshipEnded, "3", pair(2)),
		told(t, contract.GroupJoined, "4", contract.RoomEvent{RoomID: "g", Rev: 2, Members: []contract.RoomMember{member("eve", contract.RoleMember, 7)}}),
		told(t, contract.GroupLeft, "5", contract.RoomEvent{RoomID: "g", Rev: 3, Left: []string{"ann"}, Members: []contract.RoomMember{member("bob", contract.RoleOwner, 1)}}),
		told(t, contract.MessageTombstoned, "6", contract.MessageEvent{RoomID: "g", Seq: 3, By: "bob"}),
	}
}

// kept is a store that has what the story tells.
func kept(t *testing.T) social.Store {
	t.Helper()
	store, err := social.OpenStore(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "social.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	f := social.Friendship{ID: "d_1", A: "ann", B: "bob", State: social.StateFriends, Rev: 1}
	room := social.Room{ID: "g", CreatedBy: "ann", Members: []social.Member{
		{UserID: "bob", Role: contract.RoleOwner, FirstSeq: 1, JoinedAt: contract.FromMilli(1000)},
		{UserID: "eve", Role: contract.RoleMember, FirstSeq: 7, JoinedAt: contract.FromMilli(1000)},
	}}
	for f.Rev = 1; f.Rev <= 2; f.Rev++ {
		if err := store.SaveFriendship(t.Context(), f, nil); err != nil {
			t.Fatal(err)
		}
		f.State = social.StateNone
	}
	for room.Rev = 1; room.Rev <= 3; room.Rev++ {
		if err := store.SaveRoom(t.Context(), room, nil); err != nil {
			t.Fatal(err)
		}
	}
	return store
}

func TestRebuild(t *testing.T) {
	store, users := kept(t), []string{"ann", "bob", "eve"}
	differs := func(t *testing.T, r *Rebuilt) []string {
		t.Helper()
		list, err := r.Compare(t.Context(), store, users)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	t.Run("as the store has it", func(t *testing.T) {
		r := Rebuild(story(t))
		if list := differs(t, r); len(list)+len(r.Wrong) > 0 || !r.Removed[Place{"g", 3}] {
			t.Fatalf("differs %q, wrong %q, removed %v", list, r.Wrong, r.Removed)
		}
	})
	t.Run("an event twice", func(t *testing.T) {
		list := story(t)
		r := Rebuild(append(list, list[1]))
		if list := differs(t, r); len(list)+len(r.Wrong) > 0 || r.Repeated != 1 {
			t.Fatalf("differs %q, wrong %q, %d repeated", list, r.Wrong, r.Repeated)
		}
	})
	for i, name := range []string{"friendship made", "group created", "friendship ended", "joined", "left"} {
		t.Run("without "+name, func(t *testing.T) {
			list := story(t)
			r := Rebuild(append(list[:i:i], list[i+1:]...))
			if list := differs(t, r); len(list)+len(r.Wrong) == 0 {
				t.Fatal("nothing is noticed")
			}
		})
	}
	wrong := map[string]func([]Event) []Event{
		"out of order": func(list []Event) []Event { list[3], list[4] = list[4], list[3]; return list },
		"twice under another id": func(list []Event) []Event {
			var body contract.EventBody[json.RawMessage]
			_ = json.Unmarshal(list[4].Data, &body)
			body.ID = "other"
			data, _ := json.Marshal(body)
			return append(list, Event{MsgID: "other", Data: data})
		},
		"under the id of another": func(list []Event) []Event { list[2].MsgID = "1"; return list },
		"not an event":            func(list []Event) []Event { return append(list, Event{MsgID: "7", Data: []byte("{")}) },
		"a message removed once more": func(list []Event) []Event {
			return append(list, told(t, contract.MessageTombstoned, "7", contract.MessageEvent{RoomID: "g", Seq: 3}))
		},
		"the same id with something else": func(list []Event) []Event {
			return append(list, Event{MsgID: "6", Data: slices.Concat(list[5].Data, []byte(" "))})
		},
	}
	for name, spoil := range wrong {
		t.Run(name, func(t *testing.T) {
			if r := Rebuild(spoil(story(t))); len(r.Wrong) == 0 {
				t.Fatal("nothing is noticed")
			}
		})
	}
	t.Run("a member of whom no event tells", func(t *testing.T) {
		stranger := append(users, "mallory")
		other := social.Room{ID: "h", CreatedBy: "mallory", Rev: 1, Members: []social.Member{{UserID: "mallory", Role: contract.RoleOwner}}}
		if err := store.SaveRoom(t.Context(), other, nil); err != nil {
			t.Fatal(err)
		}
		if list, err := Rebuild(story(t)).Compare(t.Context(), store, stranger); err != nil || len(list) == 0 {
			t.Fatalf("differs %q, %v", list, err)
		}
	})
}
