package e2e

import (
	"net/http"
	"testing"
	"time"

	"github.com/parley-im/parley/e2e/person"
	"github.com/parley-im/parley/e2e/system"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
)

// authority shows that an outsider and a former member are refused whatever
// they try, on every gateway, the latter within a second.
func authority(t *testing.T, s *system.System) {
	list := people(t, s, "ann", "bob", "eve")
	ann, bob, eve := list[0], list[1], list[2]
	ann.Befriend(t, bob)
	room := ann.Group(t, "secret", bob)
	ann.Send(t, room.ID, "c1", "for us").Is(t, http.StatusCreated)

	refused := func(t *testing.T, p *person.Person, socket *person.Socket) {
		t.Helper()
		path := "/api/v1/rooms/" + room.ID
		for _, answer := range []person.Answer{
			p.Get(t, path),
			p.Get(t, path+"/members"),
			p.Get(t, path+"/messages"),
			p.Post(t, path+"/messages", person.Text(id.New(), "hi")),
			p.Patch(t, path, map[string]any{"name": "mine"}),
			p.Post(t, path+"/members", map[string]any{"user_ids": []string{p.ID}}),
			p.Patch(t, path+"/members/"+ann.ID, map[string]any{"role": "member"}),
			p.Delete(t, path+"/members/"+ann.ID),
			p.Delete(t, path+"/messages/1"),
			p.Put(t, path+"/read", map[string]any{"seq": 1}),
			p.Delete(t, path),
		} {
			answer.Is(t, http.StatusNotFound).Refused(t, "not_found")
		}
		at := map[string]any{"room_id": room.ID, "seq": 1}
		socket.Refused(t, "not_found", contract.OpMessageSend, send(room.ID, id.New(), "hi"))
		socket.Refused(t, "not_found", contract.OpMessagesGet, map[string]any{"room_id": room.ID, "after_seq": 0})
		socket.Refused(t, "not_found", contract.OpMessageRemove, at)
		socket.Refused(t, "not_found", contract.OpReadSet, at)
	}

	eveSocket := eve.Dial(t)
	t.Run("an outsider", func(t *testing.T) {
		for _, url := range s.URLs {
			eve.Gateway = url
			refused(t, eve, eveSocket)
		}
	})

	bobSocket := bob.Dial(t)
	t.Run("a former member, within a second", func(t *testing.T) {
		bob.Post(t, "/api/v1/rooms/"+room.ID+"/messages", person.Text(id.New(), "still in")).Is(t, http.StatusCreated)
		ann.Delete(t, "/api/v1/rooms/"+room.ID+"/members/"+bob.ID).Is(t, http.StatusNoContent)
		removed := time.Now()
		for {
			reply, err := bobSocket.Ask(t.Context(), contract.OpMessageSend, send(room.ID, id.New(), "am I out?"))
			if err != nil {
				t.Fatal(err)
			}
			if reply.Op == contract.OpError {
				break
			}
			if time.Since(removed) > time.Second {
				t.Fatal("still sending a second after being removed")
			}
		}
		refused(t, bob, bobSocket)
	})

	t.Run("nothing more reaches a former member's socket", func(t *testing.T) {
		person.Push(t, bobSocket, contract.MemberLeft.Op, func(d contract.MemberLeftData) bool { return d.UserID == bob.ID })
		sent := person.Decode[contract.Message](t, ann.Send(t, room.ID, id.New(), "among ourselves").Is(t, http.StatusCreated))
		annSocket := ann.Dial(t)
		annSocket.Follow(t, room.ID, 0, 0)
		bobSocket.Must(t, contract.OpPing, nil)
		for _, socket := range []*person.Socket{bobSocket, eveSocket} {
			for _, frame := range socket.Pushes() {
				if frame.Op == contract.MessagePushed.Op && decode[contract.Message](t, frame.Data).ID == sent.ID {
					t.Fatal("the message was delivered")
				}
			}
		}
	})
}
