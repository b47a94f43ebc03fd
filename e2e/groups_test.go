package e2e

import (
	"net/http"
	"testing"

	"github.com/parley-im/parley/e2e/person"
	"github.com/parley-im/parley/e2e/system"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
)

// memberItem is an item of GET /rooms/{id}/members.
type memberItem struct {
	User     contract.UserProfile `json:"user"`
	Role     contract.Role        `json:"role"`
	JoinedAt contract.Time        `json:"joined_at"`
}

func groups(t *testing.T, s *system.System) {
	list := people(t, s, "ann", "bob", "cat", "dan")
	ann, bob, cat, dan := list[0], list[1], list[2], list[3]
	ann.Befriend(t, bob)
	ann.Befriend(t, cat)
	bob.Befriend(t, dan)
	bobSocket, catSocket, danSocket := bob.Dial(t), cat.Dial(t), dan.Dial(t)

	for name, body := range map[string]map[string]any{
		"no name":      {"name": ""},
		"a long name":  {"name": long(65)},
		"a blank name": {"name": "   "},
	} {
		t.Run("not with "+name, func(t *testing.T) {
			ann.Post(t, "/api/v1/rooms", body).Is(t, http.StatusBadRequest).Refused(t, "invalid_argument", "name")
		})
	}
	ann.Post(t, "/api/v1/rooms", map[string]any{"name": "x", "member_ids": []string{dan.ID}}).Is(t, http.StatusForbidden).Refused(t, "permission_denied")

	// Made once, however often it is asked for.
	body := map[string]any{"name": "tea", "member_ids": []string{bob.ID}, "client_id": id.New()}
	room := person.Decode[contract.Room](t, ann.Post(t, "/api/v1/rooms", body).Is(t, http.StatusCreated))
	if again := person.Decode[contract.Room](t, ann.Post(t, "/api/v1/rooms", body).Is(t, http.StatusOK)); again.ID != room.ID {
		t.Fatalf("made twice: %s, %s", room.ID, again.ID)
	}
	if room.Role != contract.RoleOwner || room.MemberCount != 2 || room.Name != "tea" {
		t.Fatalf("made %+v", room)
	}
	made := person.Push(t, bobSocket, contract.RoomCreated.Op, func(d contract.RoomCreatedData) bool { return d.Room.ID == room.ID })
	if made.Room.Role != contract.RoleMember || made.Room.Name != "tea" {
		t.Fatalf("bob was told %+v", made.Room)
	}
	path := "/api/v1/rooms/" + room.ID

	// Who joins later reads from there on.
	ann.Send(t, room.ID, id.New(), "before cat").Is(t, http.StatusCreated)
	added := person.Decode[contract.AddMembersReply](t, ann.Post(t, path+"/members", map[string]any{"user_ids": []string{bob.ID, cat.ID}}).Is(t, http.StatusOK))
	if len(added.Added) != 1 || added.Added[0] != cat.ID || len(added.Already) != 1 || added.Already[0] != bob.ID {
		t.Fatalf("added %+v", added)
	}
	joined := person.Push(t, catSocket, contract.RoomCreated.Op, func(d contract.RoomCreatedData) bool { return d.Room.ID == room.ID })
	if joined.Room.FirstSeq != 2 || joined.Room.Unread != 0 {
		t.Fatalf("cat was told %+v", joined.Room)
	}
	person.Push(t, bobSocket, contract.MemberJoined.Op, func(d contract.MemberJoinedData) bool { return d.RoomID == room.ID && d.By == ann.ID })
	ann.Send(t, room.ID, id.New(), "hello cat").Is(t, http.StatusCreated)
	person.Push(t, catSocket, contract.MessagePushed.Op, func(m contract.Message) bool { return m.RoomID == room.ID && m.Seq == 2 })
	if log := cat.History(t, room.ID); len(log) != 1 || log[0].Seq != 2 {
		t.Fatalf("cat reads %+v", log)
	}

	// Unless the room lets them read everything.
	open := person.Decode[contract.Room](t, ann.Post(t, "/api/v1/rooms", map[string]any{"name": "open", "history": "all"}).Is(t, http.StatusCreated))
	ann.Send(t, open.ID, id.New(), "of old").Is(t, http.StatusCreated)
	ann.Post(t, "/api/v1/rooms/"+open.ID+"/members", map[string]any{"user_ids": []string{cat.ID}}).Is(t, http.StatusOK)
	if log := cat.History(t, open.ID); len(log) != 1 || log[0].Content.Text != "of old" {
		t.Fatalf("cat reads %+v", log)
	}

	// All or nothing.
	ann.Post(t, path+"/members", map[string]any{"user_ids": []string{dan.ID}}).Is(t, http.StatusForbidden).Refused(t, "permission_denied")

	// Names and roles.
	bob.Patch(t, path, map[string]any{"name": "mine"}).Is(t, http.StatusForbidden).Refused(t, "permission_denied")
	renamed := person.Decode[contract.Room](t, ann.Patch(t, path, map[string]any{"name": "coffee"}).Is(t, http.StatusOK))
	if renamed.Name != "coffee" {
		t.Fatalf("renamed to %+v", renamed)
	}
	person.Push(t, bobSocket, contract.RoomUpdated.Op, func(d contract.RoomUpdatedData) bool { return d.RoomID == room.ID && d.Name == "coffee" })
	bob.Patch(t, path+"/members/"+cat.ID, map[string]any{"role": "admin"}).Is(t, http.StatusForbidden).Refused(t, "permission_denied")
	ann.Patch(t, path+"/members/"+bob.ID, map[string]any{"role": "boss"}).Is(t, http.StatusBadRequest).Refused(t, "invalid_argument", "role")
	ann.Patch(t, path+"/members/"+bob.ID, map[string]any{"role": "admin"}).Is(t, http.StatusOK)
	bob.Patch(t, path, map[string]any{"name": "milk"}).Is(t, http.StatusOK)
	bob.Delete(t, path+"/members/"+ann.ID).Is(t, http.StatusForbidden).Refused(t, "permission_denied")

	members := person.Decode[page[memberItem]](t, cat.Get(t, path+"/members?limit=2").Is(t, http.StatusOK))
	rest := person.Decode[page[memberItem]](t, cat.Getf(t, path+"/members?cursor=%s", members.NextCursor).Is(t, http.StatusOK))
	if len(members.Items) != 2 || members.Items[0].User.ID != ann.ID || members.Items[0].Role != contract.RoleOwner || members.Items[1].Role != contract.RoleAdmin ||
		len(rest.Items) != 1 || rest.Items[0].User.ID != cat.ID {
		t.Fatalf("members %+v, %+v", members, rest)
	}

	// Removed: out within a second, and told so.
	bob.Delete(t, path+"/members/"+cat.ID).Is(t, http.StatusNoContent)
	person.Push(t, catSocket, contract.MemberLeft.Op, func(d contract.MemberLeftData) bool { return d.UserID == cat.ID && d.By == bob.ID })
	cat.Get(t, path).Is(t, http.StatusNotFound).Refused(t, "not_found")

	// The owner leaves: the admin takes over.
	ann.Delete(t, path+"/members/"+ann.ID).Is(t, http.StatusNoContent)
	left := person.Push(t, bobSocket, contract.MemberLeft.Op, func(d contract.MemberLeftData) bool { return d.UserID == ann.ID })
	if left.NewOwnerID != bob.ID {
		t.Fatalf("handed over to %q", left.NewOwnerID)
	}
	bob.Post(t, path+"/members", map[string]any{"user_ids": []string{dan.ID}}).Is(t, http.StatusOK)
	person.Push(t, danSocket, contract.RoomCreated.Op, func(d contract.RoomCreatedData) bool { return d.Room.ID == room.ID })
	dan.Delete(t, path).Is(t, http.StatusForbidden).Refused(t, "permission_denied")
	bob.Delete(t, path).Is(t, http.StatusNoContent)
	person.Push(t, danSocket, contract.RoomDisbanded.Op, func(d contract.RoomDisbandedData) bool { return d.RoomID == room.ID })
	for _, p := range []*person.Person{bob, dan} {
		p.Get(t, path).Is(t, http.StatusNotFound).Refused(t, "not_found")
	}
	direct := person.Decode[page[contract.Room]](t, dan.Get(t, "/api/v1/rooms").Is(t, http.StatusOK))
	if len(direct.Items) != 1 || direct.Items[0].Type != contract.RoomDirect {
		t.Fatalf("dan's rooms %+v", direct.Items)
	}
	dan.Delete(t, "/api/v1/rooms/"+direct.Items[0].ID).Is(t, http.StatusConflict).Refused(t, "failed_precondition")
}
