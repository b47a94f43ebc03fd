package e2e

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-im/parley/e2e/system"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/standalone/embedded"
)

// connect opens a connection to the system's NATS as one of its users; the
// observer has no password.
func connect(t *testing.T, s *system.System, user string, options ...nats.Option) *nats.Conn {
	t.Helper()
	secrets, err := embedded.LoadSecrets(t.Context(), s.Data)
	if err != nil {
		t.Fatal(err)
	}
	address := url.URL{Scheme: "nats", Host: s.NATSAddr}
	if user != contract.ObserverUser {
		address.User = url.UserPassword(user, secrets.NATS[user])
	}
	if service := contract.Service(user); slices.Contains(append(contract.Services(), contract.Admin), service) {
		options = append(options, nats.CustomInboxPrefix(service.InboxPrefix())) // people have NATS's own
	}
	nc, err := nats.Connect(address.String(), options...)
	if err != nil {
		t.Fatalf("connect as %s: %v", user, err)
	}
	t.Cleanup(nc.Close)
	return nc
}

// natsPermissions connects as each user and tries what is another's.
func natsPermissions(t *testing.T, s *system.System) {
	subjects := []string{"im.>", ">", "im.room.*.message", "im.user.*.session.revoked", "$JS.API.CONSUMER.CREATE.IM_EVENTS", "$JS.API.STREAM.UPDATE.IM_EVENTS", "$SYS.>"}
	for _, m := range contract.Methods() {
		subjects = append(subjects, m.Subject)
	}
	for _, e := range contract.Events() {
		subjects = append(subjects, e.Subject)
	}
	users := []string{contract.ObserverUser}
	permissions := map[string]contract.Permission{contract.ObserverUser: contract.ObserverPermission()}
	for _, service := range contract.Services() {
		users = append(users, string(service))
		permissions[string(service)] = contract.Permissions(service)
	}
	users = append(users, string(contract.Admin))
	permissions[string(contract.Admin)] = contract.AdminPermission()
	for _, user := range users {
		t.Run(user, func(t *testing.T) {
			refusals := make(chan string, 1000)
			nc := connect(t, s, user, nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
				if errors.Is(err, nats.ErrPermissionViolation) {
					refusals <- strings.ToLower(err.Error())
				}
			}))
			for _, subject := range subjects {
				if !strings.ContainsAny(subject, "*>") {
					want := !covered(permissions[user].PublishAllow, subject)
					if got := refused(t, nc, refusals, "publish", subject, func() error { return nc.Publish(subject, []byte("{}")) }); got != want && want {
						t.Errorf("%s may publish %s", user, subject)
					}
				}
				want := !covered(permissions[user].SubscribeAllow, subject)
				if got := refused(t, nc, refusals, "subscription", subject, func() error { _, err := nc.SubscribeSync(subject); return err }); got != want {
					t.Errorf("%s is refused to subscribe to %s: %v, want %v", user, subject, got, want)
				}
			}
			if user == contract.ObserverUser || user == string(contract.Gateway) {
				for _, queue := range []string{"q", "q.with.dots"} {
					if !refused(t, nc, refusals, "subscription", "im.room.>", func() error { _, err := nc.QueueSubscribeSync("im.room.>", queue); return err }) {
						t.Errorf("%s may join queue group %s", user, queue)
					}
				}
			}
		})
	}
}

// refused does something and reports whether the server objected to it. The
// server has said so by the time a round trip is over.
func refused(t *testing.T, nc *nats.Conn, refusals <-chan string, act, subject string, do func() error) bool {
	t.Helper()
	if err := do(); err != nil {
		t.Fatalf("%s %s: %v", act, subject, err)
	}
	if err := nc.FlushTimeout(time.Minute); err != nil {
		t.Fatal(err)
	}
	// nats.go calls the error handler from a goroutine of its own, in order:
	// a refusal that must come tells when those before it have been told.
	marker := fmt.Sprintf("parley.marker.%d", time.Now().UnixNano())
	if err := nc.Publish(marker, nil); err != nil {
		t.Fatal(err)
	}
	found := false
	for {
		select {
		case text := <-refusals:
			if strings.Contains(text, marker) {
				return found
			}
			found = found || strings.Contains(text, act) && strings.Contains(text, strings.ToLower(subject))
		case <-time.After(time.Minute):
			t.Fatalf("no word about %s", marker)
		}
	}
}

// covered reports whether one of the patterns matches the subject, itself
// perhaps a pattern.
func covered(patterns []string, subject string) bool {
	for _, pattern := range patterns {
		want, got := strings.Split(pattern, "."), strings.Split(subject, ".")
		for i, token := range want {
			if token == ">" && i < len(got) {
				return true
			}
			if i >= len(got) || token != "*" && token != got[i] || token == "*" && got[i] == ">" {
				break
			}
			if i == len(want)-1 && len(want) == len(got) {
				return true
			}
		}
	}
	return false
}
