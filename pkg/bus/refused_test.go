package bus_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-im/parley/pkg/bus"
	"github.com/parley-im/parley/pkg/contract"
)

// user is a NATS user of that name, who has no password.
func user(name string, p contract.Permission) *server.User {
	publish, subscribe := p.Rules()
	return &server.User{Username: name, Permissions: &server.Permissions{
		Publish:   &server.SubjectPermission{Allow: publish.Allow, Deny: publish.Deny},
		Subscribe: &server.SubjectPermission{Allow: subscribe.Allow, Deny: subscribe.Deny},
	}}
}

// without is the list but for what it names.
func without(list []string, subjects ...string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return slices.Contains(subjects, s) })
}

func TestRefused(t *testing.T) {
	everyone := append(contract.Services(), contract.Admin)
	permission := func(s contract.Service) contract.Permission {
		if s == contract.Admin {
			return contract.AdminPermission()
		}
		return contract.Permissions(s)
	}
	lacking := permission(contract.Chat)
	lacking.PublishAllow = without(lacking.PublishAllow, "im.room.*.message", "im.evt.chat.message.removed")
	lacking.SubscribeAllow = without(lacking.SubscribeAllow, "im.svc.chat.send.*", "im.evt.social.>")
	users := []*server.User{user("lacking", lacking), user(contract.OperatorUser, contract.OperatorPermission())}
	for _, s := range everyone {
		users = append(users, user(string(s), permission(s)))
	}
	s := startNATS(t, func(o *server.Options) { o.Users = users })

	operator, err := nats.Connect(s.running.ClientURL(), nats.UserInfo(contract.OperatorUser, ""))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(operator.Close)
	if err := bus.EnsureStream(t.Context(), operator, bus.StreamConfig{}); err != nil {
		t.Fatal(err)
	}
	heard, err := operator.SubscribeSync(">")
	if err != nil {
		t.Fatal(err)
	}
	if err := operator.Flush(); err != nil {
		t.Fatal(err)
	}
	for _, service := range everyone {
		list, err := bus.Refused(t.Context(), bus.Config{URL: s.running.ClientURL(), User: string(service)}, service, permission(service))
		if err != nil || len(list) > 0 {
			t.Errorf("%s is refused %q, %v", service, list, err)
		}
	}
	t.Run("names what is refused", func(t *testing.T) {
		list, err := bus.Refused(t.Context(), bus.Config{URL: s.running.ClientURL(), User: "lacking"}, contract.Chat, permission(contract.Chat))
		want := []string{"publish im.evt.chat.message.removed", "publish im.room.*.message", "subscribe im.evt.social.>", "subscribe im.svc.chat.send.*"}
		if err != nil || !slices.Equal(list, want) {
			t.Errorf("got %q, %v, want %q", list, err, want)
		}
	})
	t.Run("nobody notices", func(t *testing.T) {
		if err := operator.Publish("the.end", nil); err != nil {
			t.Fatal(err)
		}
		for {
			m, err := heard.NextMsgWithContext(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if m.Subject == "the.end" {
				break
			}
			// Servers tell of the trial where nobody listens; all else would be noticed.
			var told struct{ Events []any }
			if json.Unmarshal(m.Data, &told) != nil || len(told.Events) == 0 || !strings.HasSuffix(m.Subject, ".nobody") || strings.HasPrefix(m.Subject, "im.room.") {
				t.Errorf("%s was heard: %.100s", m.Subject, m.Data)
			}
		}
		js, err := jetstream.New(operator)
		if err != nil {
			t.Fatal(err)
		}
		stream, err := js.Stream(t.Context(), contract.StreamName)
		if err != nil || stream.CachedInfo().State.LastSeq != 0 {
			t.Errorf("the stream has %v, %v", stream.CachedInfo().State, err)
		}
	})
	t.Run("needs NATS", func(t *testing.T) {
		if _, err := bus.Refused(t.Context(), bus.Config{URL: s.running.ClientURL(), User: "stranger"}, contract.Chat, lacking); err == nil {
			t.Error("a stranger was let in")
		}
	})
}
