package social

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
)

// rules are the services' rules over a real store, with everyone a friend of
// everyone who is named.
func rules(t *testing.T, maxMembers, maxRooms int, friends ...string) (*groups, *friendships) {
	t.Helper()
	store, err := OpenStore(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "social.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	f := &friendships{store: store, maxRooms: 1000, now: time.Now}
	for i, a := range friends {
		for _, b := range friends[i+1:] {
			if _, _, err := f.add(t.Context(), a, b); err != nil {
				t.Fatal(err)
			}
		}
	}
	f.maxRooms = maxRooms
	head := func(context.Context, string) (int64, error) { return 41, nil }
	return &groups{store: store, maxMembers: maxMembers, maxRooms: maxRooms, head: head, now: time.Now}, f
}

func caller(userID string) contract.Caller { return contract.Caller{UserID: userID, SessionID: "s"} }

func make3(t *testing.T, g *groups) Room {
	t.Helper()
	room, created, err := g.create(t.Context(), contract.CreateRoomRequest{
		Caller: caller("owner"), Name: "g", MemberIDs: []string{"admin", "member", "member", "owner"}, History: contract.HistoryJoined,
	})
	if err != nil || !created || len(room.Members) != 3 {
		t.Fatalf("made %+v, %v, %v", room, created, err)
	}
	if _, _, err := g.setRole(t.Context(), "owner", room.ID, "admin", contract.RoleAdmin); err != nil {
		t.Fatal(err)
	}
	return room
}

// TestGroups_roles is who may do what, as one table.
func TestGroups_roles(t *testing.T) {
	acts := map[string]func(g *groups, by, room string) error{
		"rename":  func(g *groups, by, room string) error { _, err := g.rename(t.Context(), by, room, "x"); return err },
		"disband": func(g *groups, by, room string) error { _, err := g.disband(t.Context(), by, room); return err },
		"add a friend": func(g *groups, by, room string) error {
			_, _, _, err := g.add(t.Context(), by, room, []string{"friend"})
			return err
		},
		"promote a member": func(g *groups, by, room string) error {
			_, _, err := g.setRole(t.Context(), by, room, "member", contract.RoleAdmin)
			return err
		},
		"remove a member": func(g *groups, by, room string) error {
			_, _, err := g.remove(t.Context(), by, room, "member")
			return err
		},
		"remove an admin": func(g *groups, by, room string) error {
			_, _, err := g.remove(t.Context(), by, room, "admin")
			return err
		},
		"remove the owner": func(g *groups, by, room string) error {
			_, _, err := g.remove(t.Context(), by, room, "owner")
			return err
		},
		"remove a stranger": func(g *groups, by, room string) error {
			_, _, err := g.remove(t.Context(), by, room, "stranger")
			return err
		},
		"leave": func(g *groups, by, room string) error { _, _, err := g.remove(t.Context(), by, room, by); return err },
	}
	const ok = fault.Code("")
	for act, want := range map[string]map[string]fault.Code{
		"rename":            {"owner": ok, "admin": ok, "member": fault.PermissionDenied, "stranger": fault.NotFound},
		"disband":           {"owner": ok, "admin": fault.PermissionDenied, "member": fault.PermissionDenied, "stranger": fault.NotFound},
		"add a friend":      {"owner": ok, "admin": ok, "member": ok, "stranger": fault.NotFound},
		"promote a member":  {"owner": ok, "admin": fault.PermissionDenied, "member": fault.PermissionDenied, "stranger": fault.NotFound},
		"remove a member":   {"owner": ok, "admin": ok, "member": ok /* themselves */, "stranger": fault.NotFound},
		"remove an admin":   {"owner": ok, "admin": ok /* themselves */, "member": fault.PermissionDenied, "stranger": fault.NotFound},
		"remove the owner":  {"owner": ok /* themselves */, "admin": fault.PermissionDenied, "member": fault.PermissionDenied, "stranger": fault.NotFound},
		"remove a stranger": {"owner": fault.NotFound, "admin": fault.NotFound, "member": fault.NotFound, "stranger": fault.NotFound},
		"leave":             {"owner": ok, "admin": ok, "member": ok, "stranger": fault.NotFound},
	} {
		for by, code := range want {
			t.Run(act+" by "+by, func(t *testing.T) {
				g, _ := rules(t, 10, 1000, "owner", "admin", "member", "friend")
				err := acts[act](g, by, make3(t, g).ID)
				if code == ok && err != nil || code != ok && !fault.Is(err, code) {
					t.Fatalf("got %v, want %q", err, code)
				}
			})
		}
	}
}

func TestGroups_owner_leaves(t *testing.T) {
	g, _ := rules(t, 10, 1000, "owner", "admin", "member")
	room := make3(t, g)
	_, heir, err := g.remove(t.Context(), "owner", room.ID, "owner")
	if err != nil || heir == nil || heir.UserID != "admin" {
		t.Fatalf("the admin should take over: %+v, %v", heir, err)
	}
	_, heir, err = g.remove(t.Context(), "admin", room.ID, "admin")
	if err != nil || heir == nil || heir.UserID != "member" || heir.Role != contract.RoleOwner {
		t.Fatalf("then the member: %+v, %v", heir, err)
	}
	last, heir, err := g.remove(t.Context(), "member", room.ID, "member")
	if err != nil || heir != nil || !last.Disbanded {
		t.Fatalf("then nobody: %+v, %+v, %v", last, heir, err)
	}
	if _, err := g.rename(t.Context(), "member", room.ID, "x"); !fault.Is(err, fault.NotFound) {
		t.Fatalf("the room lives on: %v", err)
	}
}

func TestGroups_hand_over(t *testing.T) {
	g, _ := rules(t, 10, 1000, "owner", "admin", "member")
	room := make3(t, g)
	after, changed, err := g.setRole(t.Context(), "owner", room.ID, "member", contract.RoleOwner)
	if err != nil || len(changed) != 2 || !after.owns("member") || after.member("owner").Role != contract.RoleAdmin {
		t.Fatalf("got %+v, %v", after, err)
	}
	if _, _, err := g.setRole(t.Context(), "member", room.ID, "member", contract.RoleMember); !fault.Is(err, fault.FailedPrecondition) {
		t.Fatalf("an owner stepped down into nothing: %v", err)
	}
}

func TestGroups_join(t *testing.T) {
	friends := make([]string, 54)
	for i := range friends {
		friends[i] = fmt.Sprintf("u%02d", i)
	}
	t.Run("50 at the limit", func(t *testing.T) {
		g, f := rules(t, 12, 1000)
		for _, other := range friends[1:] {
			if _, _, err := f.add(t.Context(), friends[0], other); err != nil {
				t.Fatal(err)
			}
		}
		room, _, err := g.create(t.Context(), contract.CreateRoomRequest{
			Caller: caller(friends[0]), Name: "g", MemberIDs: friends[1:2], History: contract.HistoryJoined,
		})
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for _, other := range friends[2:52] {
			wg.Go(func() {
				if _, _, _, err := g.add(t.Context(), friends[0], room.ID, []string{other}); err != nil && !fault.Is(err, fault.FailedPrecondition) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		after, err := g.store.Room(t.Context(), room.ID)
		if err != nil || len(after.Members) != 12 || after.Rev != 11 {
			t.Fatalf("%d members at revision %d, %v", len(after.Members), after.Rev, err)
		}
	})
	t.Run("reads from the head of the try that is saved", func(t *testing.T) {
		g, _ := rules(t, 10, 100, "owner", "admin", "member", "friend")
		room := make3(t, g)
		heads := 0
		another := &groups{store: g.store, maxMembers: g.maxMembers, maxRooms: g.maxRooms, head: g.head, now: g.now}
		g.head = func(context.Context, string) (int64, error) {
			heads++
			if heads == 1 { // another replica changes the room, and three messages are sent
				if _, err := another.rename(t.Context(), "owner", room.ID, "renamed"); err != nil {
					t.Error(err)
				}
				return 41, nil
			}
			return 44, nil
		}
		_, added, _, err := g.add(t.Context(), "owner", room.ID, []string{"friend"})
		if err != nil || len(added) != 1 || added[0].FirstSeq != 45 || heads != 2 {
			t.Fatalf("added %+v, %v, after %d questions", added, err, heads)
		}
	})
	t.Run("reads from the head on", func(t *testing.T) {
		g, _ := rules(t, 10, 1000, "owner", "admin", "member", "friend")
		room := make3(t, g)
		_, added, already, err := g.add(t.Context(), "member", room.ID, []string{"friend", "admin", "friend"})
		if err != nil || len(added) != 1 || added[0].FirstSeq != 42 || len(already) != 1 || already[0] != "admin" {
			t.Fatalf("got %+v, %v, %v", added, already, err)
		}
	})
	t.Run("all or none", func(t *testing.T) {
		g, _ := rules(t, 10, 1000, "owner", "admin", "member", "friend")
		room := make3(t, g)
		_, _, _, err := g.add(t.Context(), "owner", room.ID, []string{"friend", "stranger"})
		if f := fault.From(err); f == nil || f.Code != fault.PermissionDenied || len(f.Fields) != 1 || f.Fields[0].Field != "user_ids" {
			t.Fatalf("got %v", err)
		}
		if after, _ := g.store.Room(t.Context(), room.ID); len(after.Members) != 3 {
			t.Fatalf("half done: %+v", after.Members)
		}
	})
	t.Run("no more rooms than may be", func(t *testing.T) {
		g, f := rules(t, 10, 2, "owner", "admin")
		if _, _, err := g.create(t.Context(), contract.CreateRoomRequest{Caller: caller("owner"), Name: "g", MemberIDs: []string{"admin"}}); err != nil {
			t.Fatal(err)
		}
		if _, _, err := g.create(t.Context(), contract.CreateRoomRequest{Caller: caller("owner"), Name: "g"}); !fault.Is(err, fault.ResourceExhausted) {
			t.Fatalf("a third room: %v", err)
		}
		if _, _, err := f.add(t.Context(), "stranger", "admin"); !fault.Is(err, fault.ResourceExhausted) {
			t.Fatalf("a third room by friendship: %v", err)
		}
		if _, err := f.remove(t.Context(), "owner", "admin"); err != nil {
			t.Fatal(err)
		}
		if _, fresh, err := f.add(t.Context(), "admin", "owner"); err != nil || fresh {
			t.Fatalf("the room of before is a new one: %v, %v", fresh, err)
		}
	})
}

func TestGroups_create_once_for_a_client_id(t *testing.T) {
	g, _ := rules(t, 10, 1000, "owner", "admin")
	req := contract.CreateRoomRequest{Caller: caller("owner"), Name: "g", ClientID: "c1"}
	var wg sync.WaitGroup
	var mu sync.Mutex
	made, ids := 0, map[string]bool{}
	for range 20 {
		wg.Go(func() {
			room, created, err := g.create(t.Context(), req)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			if created {
				made++
			}
			ids[room.ID] = true
		})
	}
	wg.Wait()
	if made != 1 || len(ids) != 1 {
		t.Fatalf("made %d, ids %v", made, ids)
	}
}

func TestFriendships(t *testing.T) {
	_, f := rules(t, 10, 1000)
	first, fresh, err := f.add(t.Context(), "b", "a")
	if err != nil || !fresh || first.A != "a" || first.Rev != 1 {
		t.Fatalf("got %+v, %v, %v", first, fresh, err)
	}
	if _, _, err := f.add(t.Context(), "a", "b"); !fault.Is(err, fault.AlreadyExists) {
		t.Fatalf("twice: %v", err)
	}
	if _, _, err := f.add(t.Context(), "a", "a"); !fault.Is(err, fault.InvalidArgument) {
		t.Fatalf("oneself: %v", err)
	}
	if ended, err := f.remove(t.Context(), "a", "b"); err != nil || ended.State != StateNone || ended.Rev != 2 {
		t.Fatalf("got %+v, %v", ended, err)
	}
	if _, err := f.remove(t.Context(), "b", "a"); !fault.Is(err, fault.NotFound) {
		t.Fatalf("ended twice: %v", err)
	}
	// Both at once, again and again: each change is one of them.
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			var err error
			if i%2 == 0 {
				_, _, err = f.add(t.Context(), "a", "b")
			} else {
				_, err = f.remove(t.Context(), "b", "a")
			}
			if err != nil && !fault.Is(err, fault.AlreadyExists) && !fault.Is(err, fault.NotFound) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
