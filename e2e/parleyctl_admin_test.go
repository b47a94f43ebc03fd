package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-im/parley/e2e/person"
	"github.com/parley-im/parley/e2e/system"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
)

// ctlJSON runs a command that must succeed, and returns its answer.
func ctlJSON[T any](t *testing.T, data string, args ...string) T {
	t.Helper()
	out, status := parleyctl(t, data, append(args, "--json")...)
	if status != 0 {
		t.Fatalf("parleyctl %v: status %d, %s", args, status, out)
	}
	return decode[T](t, []byte(out))
}

// audits awaits an audit event that fits.
func audits(t *testing.T, alone *system.Alone, audit contract.EventType[contract.AuditEvent], fits func(contract.AuditEvent) bool) contract.AuditEvent {
	t.Helper()
	js, err := jetstream.New(connect(t, &system.System{Data: alone.Data, NATSAddr: alone.NATSAddr}, contract.OperatorUser))
	if err != nil {
		t.Fatal(err)
	}
	consumer, err := js.OrderedConsumer(t.Context(), contract.StreamName, jetstream.OrderedConsumerConfig{FilterSubjects: []string{audit.Subject()}})
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); ; {
		m, err := consumer.Next(jetstream.FetchMaxWait(time.Second))
		if err == nil {
			event, err := audit.Decode(m.Data())
			if err != nil {
				t.Fatal(err)
			}
			if fits(event.Data) {
				return event.Data
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("no such audit event at %s: %v", audit.Subject(), err)
		}
	}
}

// TestParleyctl is what an admin does about people who talk.
func TestParleyctl(t *testing.T) {
	t.Parallel()
	alone := system.StartAlone(t)
	ann := person.New(t, api(), alone.URLs[0], "ann", alone.Code(alone.Codes(t)))
	bob := person.New(t, api(), alone.URLs[1], "bob", alone.Code(alone.Codes(t)))
	room := ann.Befriend(t, bob)
	group := ann.Group(t, "club", bob)

	t.Run("shows a user by id, account and e-mail", func(t *testing.T) {
		for _, name := range []string{bob.ID, strings.ToUpper(bob.Account), bob.Email} {
			u := ctlJSON[contract.AdminUser](t, alone.Data, "users", "show", name)
			if u.ID != bob.ID || u.Account != bob.Account || len(u.Sessions) != 1 || u.DisabledAt != nil {
				t.Errorf("%s is %+v", name, u)
			}
		}
		if out, status := parleyctl(t, alone.Data, "users", "show", "nobody.at.all"); status != 3 {
			t.Errorf("nobody: status %d, %s", status, out)
		}
		audits(t, alone, contract.AuthAudit, func(a contract.AuditEvent) bool {
			return a.Action == "show_user" && a.UserID == bob.ID && a.By == "e2e"
		})
	})
	t.Run("shows rooms", func(t *testing.T) {
		r := ctlJSON[contract.AdminRoom](t, alone.Data, "rooms", "show", group.ID)
		if r.ID != group.ID || r.Name != "club" || r.OwnerID != ann.ID || r.MemberCount != 2 || r.Closed {
			t.Errorf("got %+v", r)
		}
		members := ctlJSON[contract.MemberPage](t, alone.Data, "rooms", "members", group.ID)
		if len(members.Items) != 2 || members.Items[0].UserID != ann.ID || members.NextCursor != "" {
			t.Errorf("members are %+v", members)
		}
		if direct := ctlJSON[contract.AdminRoom](t, alone.Data, "rooms", "show", room); direct.Type != contract.RoomDirect || direct.MemberCount != 2 {
			t.Errorf("got %+v", direct)
		}
	})
	t.Run("removes a message", func(t *testing.T) {
		socket := ann.Dial(t)
		sent := person.Decode[contract.Message](t, bob.Send(t, room, id.New(), "an insult").Is(t, http.StatusCreated))
		if out, status := parleyctl(t, alone.Data, "messages", "remove", room, "1", "--reason", "insult"); status != 2 { // nobody types yes
			t.Errorf("unconfirmed: status %d, %s", status, out)
		}
		ctlJSON[contract.MessageRemovedData](t, alone.Data, "messages", "remove", room, "1", "--reason", "insult", "--yes")
		person.Push(t, socket, contract.MessageRemovedPushed.Op, func(d contract.MessageRemovedData) bool {
			return d.Seq == sent.Seq && d.RemovedBy == contract.RemovedByAdmin
		})
		if log := ann.History(t, room); len(log) != 1 || log[0].Content.Text != "" || log[0].RemovedAt == nil || log[0].ClientID != sent.ClientID {
			t.Errorf("the history is %+v", log)
		}
		a := audits(t, alone, contract.ChatAudit, func(a contract.AuditEvent) bool { return a.Action == "force_remove" })
		if a.By != "e2e" || a.Reason != "insult" || a.RoomID != room || a.Seq != sent.Seq {
			t.Errorf("the audit says %+v", a)
		}
	})
	t.Run("lends a token", func(t *testing.T) {
		out, status := parleyctl(t, alone.Data, "token", bob.Account, "--device", "a test")
		borrowed := *bob
		borrowed.Access = strings.TrimSpace(out)
		if status != 0 || person.Decode[contract.User](t, borrowed.Get(t, "/api/v1/users/me").Is(t, http.StatusOK)).ID != bob.ID {
			t.Errorf("status %d", status)
		}
		ended := ctlJSON[contract.EndSessionsReply](t, alone.Data, "users", "end-sessions", bob.Account, "--session", sessionOf(t, alone, bob, "a test"))
		if ended.Ended != 1 {
			t.Errorf("ended %+v", ended)
		}
		borrowed.Get(t, "/api/v1/users/me").Refused(t, "unauthenticated")
		bob.Get(t, "/api/v1/users/me").Is(t, http.StatusOK)
	})
	t.Run("rotates keys", func(t *testing.T) {
		before := ctlJSON[contract.KeysReply](t, alone.Data, "keys", "list")
		after := ctlJSON[contract.KeysReply](t, alone.Data, "keys", "rotate")
		if len(after.Keys) != len(before.Keys)+1 || after.Keys[0].ID == before.Keys[0].ID {
			t.Errorf("before %+v, after %+v", before, after)
		}
		bob.Get(t, "/api/v1/users/me").Is(t, http.StatusOK)
	})
	t.Run("disables a user who is chatting", func(t *testing.T) { disableWhileChatting(t, alone, bob, room) })
	t.Run("disbands a group", func(t *testing.T) {
		if out, status := parleyctl(t, alone.Data, "rooms", "disband", room, "--reason", "r", "--yes"); status != 4 && status != 2 {
			t.Errorf("a direct room: status %d, %s", status, out)
		}
		r := ctlJSON[contract.AdminRoom](t, alone.Data, "rooms", "disband", group.ID, "--reason", "r", "--yes")
		if !r.Closed {
			t.Errorf("got %+v", r)
		}
		ann.Get(t, "/api/v1/rooms/"+group.ID).Refused(t, "not_found")
	})
}

func sessionOf(t *testing.T, alone *system.Alone, p *person.Person, device string) string {
	t.Helper()
	for _, s := range ctlJSON[contract.AdminUser](t, alone.Data, "users", "show", p.ID).Sessions {
		if s.DeviceName == device {
			return s.ID
		}
	}
	t.Fatalf("no session of %s", device)
	return ""
}

// disableWhileChatting has bob send without a pause, by a socket, while he is
// disabled.
func disableWhileChatting(t *testing.T, alone *system.Alone, bob *person.Person, room string) {
	socket, phone := bob.Dial(t), bob.Login(t, bob.Gateway, "phone")
	silenced := make(chan time.Time, 1)
	go func() { // ends with the socket
		for {
			if _, err := socket.Ask(t.Context(), contract.OpMessageSend, send(room, id.New(), "and another thing")); err != nil {
				silenced <- time.Now()
				return
			}
		}
	}()
	u := ctlJSON[contract.AdminUser](t, alone.Data, "users", "disable", bob.Account, "--reason", "spam")
	if u.DisabledAt == nil || len(u.Sessions) != 0 {
		t.Errorf("got %+v", u)
	}
	if code := socket.Closed(t, time.Second); code != contract.CloseSessionRevoked {
		t.Errorf("closed with %d", code)
	}
	t.Logf("silent %v after the decision", (<-silenced).Sub(u.DisabledAt.Time).Round(time.Millisecond))
	for _, p := range []*person.Person{bob, phone} {
		p.Get(t, "/api/v1/users/me").Refused(t, "unauthenticated")
		p.Send(t, room, id.New(), "still here").Refused(t, "unauthenticated")
		p.Post(t, "/api/v1/auth/refresh", map[string]any{"refresh_token": p.Refresh}).Refused(t, "unauthenticated")
	}
	login := map[string]any{"account": bob.Account, "password": person.Password}
	bob.Post(t, "/api/v1/auth/login", login).Refused(t, "permission_denied")
	a := audits(t, alone, contract.AuthAudit, func(a contract.AuditEvent) bool { return a.Action == "disable_user" })
	if a.By != "e2e" || a.Reason != "spam" || a.UserID != bob.ID {
		t.Errorf("the audit says %+v", a)
	}
	if u := ctlJSON[contract.AdminUser](t, alone.Data, "users", "enable", bob.ID); u.DisabledAt != nil {
		t.Errorf("enabled, he is %+v", u)
	}
	bob.Post(t, "/api/v1/auth/login", login).Is(t, http.StatusOK)
}
