package e2e

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/e2e/person"
	"github.com/parley-im/parley/e2e/system"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
)

// TestLimits_are_told hits what a setting bounds, on a system where the
// settings are low. What the wire contract fixes is hit in TestParley.
func TestLimits_are_told(t *testing.T) {
	s := system.Start(t, system.Options{Replicas: 1, Gateways: 2, Env: []string{
		"SOCIAL_MAX_MEMBERS=4", "SOCIAL_MAX_ROOMS=6",
		"GATEWAY_SENDS_PER_SECOND=5", "GATEWAY_SEND_BURST=10",
		"GATEWAY_CALLS_PER_SECOND=50", "GATEWAY_CALL_BURST=200",
		"GATEWAY_MAX_USER_CONNS=3",
	}})
	list := people(t, s, numbered("l", 8)...)
	ann := list[0]
	for _, p := range list[1:6] {
		ann.Befriend(t, p)
	}

	t.Run("members of a group", func(t *testing.T) {
		five := map[string]any{"name": "five", "member_ids": []string{list[1].ID, list[2].ID, list[3].ID, list[4].ID}}
		ann.Post(t, "/api/v1/rooms", five).Is(t, http.StatusBadRequest).Refused(t, "invalid_argument", "member_ids")
		room := list[1].Group(t, "four", ann)
		ann.Post(t, "/api/v1/rooms/"+room.ID+"/members", map[string]any{"user_ids": []string{list[2].ID, list[3].ID}}).Is(t, http.StatusOK)
		ann.Post(t, "/api/v1/rooms/"+room.ID+"/members", map[string]any{"user_ids": []string{list[4].ID}}).Is(t, http.StatusConflict).Refused(t, "failed_precondition")
	})

	t.Run("rooms of a user", func(t *testing.T) {
		// Five direct rooms and one group are six.
		tooMany(t, ann.Post(t, "/api/v1/friends", map[string]any{"user_id": list[6].ID}))
		tooMany(t, list[7].Post(t, "/api/v1/friends", map[string]any{"user_id": ann.ID})) // a seventh, by the other
	})

	t.Run("sends, over HTTP and WebSocket together", func(t *testing.T) {
		room := person.Decode[page[contract.Room]](t, ann.Get(t, "/api/v1/rooms?limit=1").Is(t, http.StatusOK)).Items[0].ID
		socket := ann.Dial(t)
		refused := false
		for n := 0; n < 60 && !refused; n++ {
			if n%2 == 0 {
				reply, err := socket.Ask(t.Context(), contract.OpMessageSend, send(room, id.New(), fmt.Sprint(n)))
				if err != nil {
					t.Fatal(err)
				}
				if reply.Op == contract.OpError {
					if reply.Error.Code != "resource_exhausted" || reply.Error.RetryAfterMS <= 0 {
						t.Fatalf("got %+v", reply.Error)
					}
					refused = true
				}
				continue
			}
			if answer := ann.Send(t, room, id.New(), fmt.Sprint(n)); answer.Status == http.StatusTooManyRequests {
				tooMany(t, answer)
				refused = true
			}
		}
		if !refused {
			t.Fatal("sixty sends at once passed a limit of ten")
		}
	})

	t.Run("connections of a user", func(t *testing.T) {
		p := list[7]
		for range 3 {
			p.Dial(t)
		}
		if _, err := p.TryDial(t.Context()); err == nil {
			t.Fatal("a fourth connection was ready")
		}
	})

	t.Run("codes to one address", func(t *testing.T) {
		stranger := &person.Person{API: api(), Gateway: s.URLs[0]}
		body := map[string]any{"email": id.New() + "@example.org", "purpose": "register"}
		stranger.Post(t, "/api/v1/auth/codes", body).Is(t, http.StatusAccepted)
		tooMany(t, stranger.Post(t, "/api/v1/auth/codes", body))
	})

	t.Run("tries of a code", func(t *testing.T) {
		stranger := &person.Person{API: api(), Gateway: s.URLs[0]}
		email := id.New() + "@example.org"
		stranger.Post(t, "/api/v1/auth/codes", map[string]any{"email": email, "purpose": "register"}).Is(t, http.StatusAccepted)
		code := s.Code(t, email)
		body := map[string]any{"email": email, "account": "tries_" + id.New()[18:], "password": person.Password}
		for n := range 5 {
			body["code"] = fmt.Sprintf("%06d", n)
			if body["code"] == code {
				body["code"] = "999999"
			}
			stranger.Post(t, "/api/v1/auth/register", body).Is(t, http.StatusBadRequest).Refused(t, "invalid_argument", "code")
		}
		body["code"] = code
		stranger.Post(t, "/api/v1/auth/register", body).Is(t, http.StatusBadRequest).Refused(t, "invalid_argument", "code")
	})

	t.Run("the size of a body", func(t *testing.T) {
		big := map[string]any{"name": strings.Repeat("a", 1<<20)}
		list[6].Post(t, "/api/v1/rooms", big).Is(t, http.StatusRequestEntityTooLarge).Refused(t, "payload_too_large")
	})

	t.Run("log-ins", func(t *testing.T) {
		stranger := &person.Person{API: api(), Gateway: s.URLs[1]}
		deadline := time.Now().Add(time.Minute)
		for time.Now().Before(deadline) {
			answer := stranger.Post(t, "/api/v1/auth/login", map[string]any{"account": list[5].Account, "password": "wrong password"})
			if answer.Status == http.StatusTooManyRequests {
				tooMany(t, answer)
				return
			}
			answer.Is(t, http.StatusUnauthorized)
		}
		t.Fatal("guessing was never stopped")
	})
}

// tooMany holds that an answer says so, and when to come again.
func tooMany(t *testing.T, answer person.Answer) {
	t.Helper()
	answer.Is(t, http.StatusTooManyRequests).Refused(t, "resource_exhausted")
	if seconds, err := strconv.Atoi(answer.Header.Get("Retry-After")); err != nil || seconds < 1 {
		t.Fatalf("Retry-After is %q", answer.Header.Get("Retry-After"))
	}
}
