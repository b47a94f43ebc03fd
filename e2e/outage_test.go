package e2e

import (
	"net/http"
	"testing"

	"github.com/parley-im/parley/e2e/person"
	"github.com/parley-im/parley/e2e/system"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
)

// TestOutages kills what everything stands on, and starts it again: sockets
// stay, sends are told to wait, and then all goes on where it was.
func TestOutages(t *testing.T) {
	s := system.Start(t, system.Options{})
	list := people(t, s, "ann", "bob")
	ann, bob := list[0], list[1]
	room := ann.Befriend(t, bob)
	annSocket, bobSocket := ann.Dial(t), bob.Dial(t)
	exchange := func(t *testing.T, text string) {
		t.Helper()
		clientID := id.New()
		eventually(t, "a send is acknowledged", func() bool {
			reply, err := annSocket.Ask(t.Context(), contract.OpMessageSend, send(room, clientID, text))
			if err != nil {
				t.Fatalf("the socket is gone: %v", err)
			}
			if reply.Op == contract.OpError && reply.Error.Code != "unavailable" && reply.Error.Code != "deadline_exceeded" {
				t.Fatalf("refused: %+v", reply.Error)
			}
			return reply.Op == contract.OpOK
		})
	}
	exchange(t, "before")

	t.Run("NATS", func(t *testing.T) {
		s.NATS.Kill(t)
		eventually(t, "sends are told to wait", func() bool {
			reply, err := annSocket.Ask(t.Context(), contract.OpMessageSend, send(room, id.New(), "lost to nobody"))
			// What left before the connection broke has an unknown outcome.
			if err != nil || reply.Op != contract.OpError || reply.Error.Code != "unavailable" && reply.Error.Code != "deadline_exceeded" {
				t.Fatalf("got %+v, %v", reply, err)
			}
			return reply.Error.Code == "unavailable" && reply.Error.RetryAfterMS > 0
		})
		s.NATS.Restart(t)
		exchange(t, "after NATS")
	})
	t.Run("Redis", func(t *testing.T) {
		s.Redis.Kill(t)
		exchange(t, "without Redis")
		stranger := &person.Person{API: api(), Gateway: s.URLs[0]}
		stranger.Post(t, "/api/v1/auth/login", map[string]any{"account": ann.Account, "password": person.Password}).
			Is(t, http.StatusServiceUnavailable).Refused(t, "unavailable")
		s.Redis.Restart(t)
		eventually(t, "people log in again", func() bool {
			return stranger.Post(t, "/api/v1/auth/login", map[string]any{"account": ann.Account, "password": person.Password}).Status == http.StatusOK
		})
	})
	t.Run("social", func(t *testing.T) {
		for _, p := range s.Social {
			p.Kill(t)
		}
		for _, p := range s.Social {
			p.Restart(t)
		}
		exchange(t, "after social")
	})

	head := person.Decode[contract.Room](t, bob.Get(t, "/api/v1/rooms/"+room).Is(t, http.StatusOK)).LastSeq
	whole(t, ann.History(t, room), int(head))
	log := bobSocket.Follow(t, room, 0, head)
	if last := log.Messages[len(log.Messages)-1]; last.Content.Text != "after social" || head < 4 {
		t.Fatalf("the last of %d is %+v", head, last)
	}
}
