package e2e

import (
	"net/http"
	"testing"

	"github.com/parley-im/parley/e2e/person"
	"github.com/parley-im/parley/e2e/system"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
)

// friendItem is an item of GET /friends.
type friendItem struct {
	User   contract.UserProfile `json:"user"`
	RoomID string               `json:"room_id"`
	Since  contract.Time        `json:"since"`
}

// page is any list.
type page[T any] struct {
	Items      []T    `json:"items"`
	NextCursor string `json:"next_cursor"`
}

func friends(t *testing.T, s *system.System) {
	list := people(t, s, "ann", "bob", "cat")
	ann, bob, cat := list[0], list[1], list[2]

	for name, c := range map[string]struct {
		body   map[string]any
		status int
		code   string
	}{
		"yourself by id":      {map[string]any{"user_id": ann.ID}, http.StatusBadRequest, "invalid_argument"},
		"yourself by account": {map[string]any{"account": ann.Account}, http.StatusBadRequest, "invalid_argument"},
		"nobody":              {map[string]any{}, http.StatusBadRequest, "invalid_argument"},
		"both ways":           {map[string]any{"user_id": bob.ID, "account": bob.Account}, http.StatusBadRequest, "invalid_argument"},
		"an unknown account":  {map[string]any{"account": "nobody_at_all"}, http.StatusNotFound, "not_found"},
		"an unknown id":       {map[string]any{"user_id": id.New()}, http.StatusNotFound, "not_found"},
		"an unsafe id":        {map[string]any{"user_id": "a.>"}, 0, ""},
	} {
		t.Run("not "+name, func(t *testing.T) {
			answer := ann.Post(t, "/api/v1/friends", c.body)
			if c.status == 0 {
				if answer.Status != http.StatusBadRequest && answer.Status != http.StatusNotFound {
					t.Fatalf("got %d %s", answer.Status, answer.Body)
				}
				return
			}
			answer.Is(t, c.status).Refused(t, c.code)
		})
	}

	room := ann.Befriend(t, bob)
	answer := person.Decode[contract.AddFriendReply](t, ann.Post(t, "/api/v1/friends", map[string]any{"account": cat.Account}).Is(t, http.StatusCreated))
	if answer.Status != contract.StatusFriends || answer.User.ID != cat.ID {
		t.Fatalf("got %+v", answer)
	}
	bob.Post(t, "/api/v1/friends", map[string]any{"user_id": ann.ID}).Is(t, http.StatusConflict).Refused(t, "already_exists")

	first := person.Decode[page[friendItem]](t, ann.Get(t, "/api/v1/friends?limit=1").Is(t, http.StatusOK))
	second := person.Decode[page[friendItem]](t, ann.Getf(t, "/api/v1/friends?limit=1&cursor=%s", first.NextCursor).Is(t, http.StatusOK))
	if len(first.Items) != 1 || len(second.Items) != 1 || second.NextCursor != "" || first.Items[0].User.ID == second.Items[0].User.ID || !first.Items[0].User.IsFriend {
		t.Fatalf("got %+v and %+v", first, second)
	}
	if found := person.Decode[contract.UserProfile](t, ann.Getf(t, "/api/v1/users/%s", bob.ID).Is(t, http.StatusOK)); !found.IsFriend {
		t.Fatalf("found %+v", found)
	}

	// Removed: the room stays readable, nothing can be sent, on any gateway.
	ann.Send(t, room, id.New(), "before").Is(t, http.StatusCreated)
	annSocket, bobSocket := ann.Dial(t), bob.Dial(t)
	bob.Delete(t, "/api/v1/friends/"+ann.ID).Is(t, http.StatusNoContent)
	person.Push(t, annSocket, contract.FriendRemoved.Op, func(d contract.FriendRemovedData) bool { return d.UserID == bob.ID && d.RoomID == room })
	bob.Delete(t, "/api/v1/friends/"+ann.ID).Is(t, http.StatusNotFound).Refused(t, "not_found")
	eventually(t, "the room is closed to sends", func() bool { return ann.Send(t, room, id.New(), "after").Status == http.StatusConflict })
	annSocket.Refused(t, "failed_precondition", contract.OpMessageSend, send(room, id.New(), "after"))
	bobSocket.Refused(t, "failed_precondition", contract.OpMessageSend, send(room, id.New(), "after"))
	state := person.Decode[contract.Room](t, ann.Getf(t, "/api/v1/rooms/%s", room).Is(t, http.StatusOK))
	if !state.Closed {
		t.Fatalf("the room is %+v", state)
	}
	head := state.LastSeq
	if log := ann.History(t, room); int64(len(log)) != head {
		t.Fatalf("%d messages readable, head %d", len(log), head)
	}

	// Friends again: the same room goes on.
	if again := bob.Befriend(t, ann); again != room {
		t.Fatalf("a second room %s beside %s", again, room)
	}
	eventually(t, "the room is open again", func() bool { return ann.Send(t, room, id.New(), "again").Status == http.StatusCreated })
	person.Push(t, bobSocket, contract.MessagePushed.Op, func(m contract.Message) bool { return m.Content.Text == "again" })
}
