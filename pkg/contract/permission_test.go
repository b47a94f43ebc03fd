package contract_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/parley-im/parley/pkg/contract"
)

// callers are all that the table of methods may name.
func callers() []contract.Service { return append(contract.Services(), contract.Admin) }

func TestPermissions_follow_the_table(t *testing.T) {
	for _, s := range callers() {
		p := contract.Permissions(s)
		for _, m := range contract.Methods() {
			if got, want := slices.Contains(p.PublishAllow, m.Subject), slices.Contains(m.Callers, s); got != want {
				t.Errorf("%s may call %s: %v, want %v", s, m.Subject, got, want)
			}
			if got, want := slices.Contains(p.SubscribeAllow, m.Subject), m.Service == s; got != want {
				t.Errorf("%s may answer %s: %v, want %v", s, m.Subject, got, want)
			}
		}
		for _, e := range contract.Events() {
			if got, want := slices.Contains(p.PublishAllow, e.Subject), e.Service == s; got != want {
				t.Errorf("%s may report %s: %v, want %v", s, e.Subject, got, want)
			}
		}
	}
}

// A wildcard over whole trees may stand only where the design says so.
func TestPermissions_have_no_broad_publish(t *testing.T) {
	for _, s := range callers() {
		for _, subject := range contract.Permissions(s).PublishAllow {
			if strings.HasSuffix(subject, ">") && !strings.HasPrefix(subject, "_INBOX") {
				t.Errorf("%s publishes %s", s, subject)
			}
			if strings.HasPrefix(subject, "$JS.API.CONSUMER") || strings.HasPrefix(subject, "$JS.API.STREAM.UPDATE") {
				t.Errorf("%s reaches %s", s, subject)
			}
		}
	}
}

// A service answers its callers, each in the inbox for its own answers, and
// people; a service that answers nothing publishes to no inbox.
func TestPermissions_of_answers(t *testing.T) {
	for s, want := range map[contract.Service][]string{
		contract.Auth:    {"_INBOX.>", "_INBOX_admin.auth.>", "_INBOX_gateway.auth.>", "_INBOX_social.auth.>"},
		contract.Social:  {"_INBOX.>", "_INBOX_admin.social.>", "_INBOX_auth.social.>", "_INBOX_chat.social.>", "_INBOX_gateway.social.>"},
		contract.Chat:    {"_INBOX.>", "_INBOX_admin.chat.>", "_INBOX_gateway.chat.>", "_INBOX_social.chat.>"},
		contract.Gateway: nil,
		contract.Admin:   nil,
	} {
		var got []string
		for _, subject := range contract.Permissions(s).PublishAllow {
			if strings.HasPrefix(subject, "_INBOX") {
				got = append(got, subject)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s answers at %v, want %v", s, got, want)
		}
	}
}

// To NATS an empty list allows everything.
func TestPermission_Rules_of_nothing(t *testing.T) {
	for _, p := range []contract.Permission{{}, {PublishDeny: []string{"a"}, SubscribeDeny: []string{"b"}}} {
		publish, subscribe := p.Rules()
		for _, r := range []contract.SubjectRule{publish, subscribe} {
			if len(r.Allow) != 0 || !slices.Equal(r.Deny, []string{">"}) {
				t.Errorf("%+v becomes %+v", p, r)
			}
		}
	}
	publish, subscribe := contract.ObserverPermission().Rules()
	if !slices.Equal(publish.Allow, []string{"$SRV.>"}) || !slices.Equal(subscribe.Deny, []string{"> >"}) {
		t.Errorf("the observer becomes %+v, %+v", publish, subscribe)
	}
}

// Chat hears what makes its memory wrong, and no more of what passes in rooms:
// neither texts nor who reads.
func TestPermissions_of_chat(t *testing.T) {
	var heard []string
	for _, subject := range contract.Permissions(contract.Chat).SubscribeAllow {
		if strings.HasPrefix(subject, "im.room.") || strings.HasPrefix(subject, "im.evt.") || strings.HasPrefix(subject, "im.user.") {
			heard = append(heard, subject)
		}
	}
	want := []string{
		"im.evt.chat.message.removed", "im.evt.social.>",
		"im.room.*.member.joined", "im.room.*.member.left", "im.room.*.message.removed",
		"im.room.*.room.disbanded", "im.room.*.room.updated",
	}
	if !slices.Equal(heard, want) {
		t.Errorf("chat hears %v, want %v", heard, want)
	}
	for _, s := range contract.Services() {
		p := contract.Permissions(s)
		if s != contract.Chat && (slices.Contains(p.PublishAllow, "im.room.*.message.removed") || slices.Contains(p.PublishAllow, "im.evt.chat.message.removed")) {
			t.Errorf("%s may tell chat of removals", s)
		}
	}
}

func TestPermissions_of_the_observer(t *testing.T) {
	p := contract.ObserverPermission()
	for _, subject := range slices.Concat(p.SubscribeAllow, p.PublishAllow) {
		if subject == ">" || strings.HasPrefix(subject, "im.svc") || strings.HasPrefix(subject, "im.>") || strings.HasPrefix(subject, "$JS") {
			t.Errorf("the observer reaches %s", subject)
		}
	}
	if !slices.Contains(p.SubscribeDeny, "> >") {
		t.Error("the observer may join queue groups")
	}
}

// The admin calls, and hears answers; what people say passes it by.
func TestPermissions_of_the_admin(t *testing.T) {
	p := contract.AdminPermission()
	if want := []string{"_INBOX_admin.>"}; !slices.Equal(p.SubscribeAllow, want) {
		t.Errorf("the admin hears %v, want %v", p.SubscribeAllow, want)
	}
	if !slices.Contains(p.PublishAllow, "im.svc.auth.diagnose.*") || !slices.Contains(p.PublishAllow, "$SRV.PING.auth") {
		t.Errorf("the admin can't ask each replica: %v", p.PublishAllow)
	}
	for _, subject := range p.PublishAllow {
		if !strings.HasPrefix(subject, "im.svc.") && !strings.HasPrefix(subject, "$SRV.") && subject != "$JS.API.STREAM.INFO.IM_EVENTS" {
			t.Errorf("the admin publishes %s", subject)
		}
	}
}

func TestTables_have_no_doubles(t *testing.T) {
	seen := map[string]bool{}
	check := func(subject string) {
		if seen[subject] {
			t.Errorf("%s is listed twice", subject)
		}
		seen[subject] = true
	}
	for _, m := range contract.Methods() {
		check(m.Subject)
		if m.Doc == "" || len(m.Callers) == 0 || !contract.ValidID(m.Name) {
			t.Errorf("%s is incomplete", m.Subject)
		}
	}
	for _, e := range contract.Events() {
		check(e.Subject)
	}
	for _, p := range contract.Pushes() {
		check("push " + string(p.Scope) + " " + string(p.Op))
	}
}
