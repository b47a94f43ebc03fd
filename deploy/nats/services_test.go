package natsconf_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-im/parley/pkg/bus"
	"github.com/parley-im/parley/pkg/contract"
)

// Each user of the generated configuration, over TLS to a cluster of three,
// may do what the contract lists, and is refused everything else.
func TestCluster_permissions(t *testing.T) {
	c := startCluster(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	members := map[contract.Service]*member{}
	for _, s := range callers() {
		members[s] = c.connect(t, s)
		if s != contract.Gateway && s != contract.Admin { // they have no events
			if err := bus.EnsureStream(ctx, members[s].Conn, bus.StreamConfig{Replicas: 3}); err != nil {
				t.Fatalf("%s: %v", s, err)
			}
		}
	}
	t.Run("methods answer their callers", func(t *testing.T) { methods(t, members) })
	t.Run("pushes reach gateways", func(t *testing.T) { pushes(t, members) })
	t.Run("events are on three servers", func(t *testing.T) { events(t, c, members) })
	t.Run("nothing was refused", func(t *testing.T) {
		for s, m := range members {
			if list := m.log.refusals(t); len(list) > 0 {
				t.Errorf("%s: %v", s, list)
			}
		}
		if log := c.log(t); strings.Contains(log, "Violation") {
			t.Error(log)
		}
	})
	t.Run("a gateway oversteps", func(t *testing.T) { overstep(t, c) })
	for s, m := range members {
		t.Run("refusals of "+string(s), func(t *testing.T) { refusals(t, c, m, publishProbes(s), subscribeProbes(s)) })
	}
	t.Run("refusals of observer", func(t *testing.T) { observer(t, c) })
	t.Run("accounts are apart", func(t *testing.T) { accounts(t, c, members) })
}

// callers are all that the table of methods may name.
func callers() []contract.Service { return append(contract.Services(), contract.Admin) }

func methods(t *testing.T, members map[contract.Service]*member) {
	for _, m := range contract.Methods() {
		subjects := []string{m.Subject}
		if m.Pinned {
			subjects = append(subjects, m.Subject+".replica1")
		}
		for _, subject := range subjects {
			served, err := members[m.Service].QueueSubscribe(subject, "q", func(r *nats.Msg) {
				if err := r.Respond([]byte(r.Subject)); err != nil {
					t.Error(err)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			settle(t, members[m.Service].Conn)
			for _, caller := range m.Callers {
				if answer := ask(t, members[caller].Conn, caller, m.Service, subject); answer != subject {
					t.Errorf("%s asks %s: %q", caller, subject, answer)
				}
			}
			if err := served.Unsubscribe(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// ask sends a request, to be answered where the service may answer the caller.
func ask(t *testing.T, nc *nats.Conn, caller, service contract.Service, subject string) string {
	t.Helper()
	inbox := caller.InboxPrefix() + "." + string(service) + "." + nats.NewInbox()[len("_INBOX."):]
	answers, err := nc.SubscribeSync(inbox)
	if err != nil {
		t.Fatal(err)
	}
	defer answers.Unsubscribe()
	// A server may hear of a subscription at another later than its client: ask
	// again while there seems to be nobody.
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		if err := nc.PublishRequest(subject, inbox, []byte("{}")); err != nil {
			t.Fatal(err)
		}
		answer, err := answers.NextMsg(10 * time.Second)
		if err == nil {
			return string(answer.Data)
		}
		if !errors.Is(err, nats.ErrNoResponders) {
			return err.Error()
		}
	}
	return "nobody"
}

func pushes(t *testing.T, members map[contract.Service]*member) {
	heard := make(chan *nats.Msg, 1000)
	gateway := members[contract.Gateway]
	for _, subject := range []string{"im.room.r1.>", "im.user.u1.>"} {
		if _, err := gateway.ChanSubscribe(subject, heard); err != nil {
			t.Fatal(err)
		}
	}
	settle(t, gateway.Conn)
	for _, p := range contract.Pushes() {
		subject := map[contract.Scope]string{contract.ScopeRoom: "im.room.r1.", contract.ScopeUser: "im.user.u1."}[p.Scope]
		if subject == "" {
			continue // not over NATS
		}
		for _, s := range p.Publishers {
			// Pushed until it is heard: see ask.
			await(t, string(p.Op)+" by "+string(s), func() bool {
				if err := members[s].Publish(subject+string(p.Op), []byte(s)); err != nil {
					t.Fatal(err)
				}
				select {
				case m := <-heard:
					return m.Subject == subject+string(p.Op)
				case <-time.After(100 * time.Millisecond):
					return false
				}
			})
		}
	}
}

func events(t *testing.T, c *cluster, members map[contract.Service]*member) {
	for _, e := range contract.Events() {
		js, err := jetstream.New(members[e.Service].Conn)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		if _, err := js.Publish(ctx, e.Subject, []byte(`{}`)); err != nil {
			t.Errorf("%s publishes %s: %v", e.Service, e.Subject, err)
		}
		cancel()
	}
	js, err := jetstream.New(c.mustDial(t, contract.OperatorUser))
	if err != nil {
		t.Fatal(err)
	}
	await(t, "all servers to have the stream", func() bool {
		stream, err := js.Stream(t.Context(), contract.StreamName)
		if err != nil {
			return false
		}
		info := stream.CachedInfo()
		if info.Config.Replicas != 3 || info.State.Msgs != uint64(len(contract.Events())) {
			t.Fatalf("%d copies of %d events", info.Config.Replicas, info.State.Msgs)
		}
		current := 1 // the leader
		for _, peer := range info.Cluster.Replicas {
			if peer.Current {
				current++
			}
		}
		return current == 3
	})
}

// settle waits until the servers know the connection's subscriptions.
func settle(t *testing.T, nc *nats.Conn) {
	t.Helper()
	if err := nc.FlushTimeout(10 * time.Second); err != nil {
		t.Fatal(err)
	}
}

// probe is something that a user may or may not do.
type probe struct {
	subject, queue string
	allowed        bool
}

func publishProbes(service contract.Service) []probe {
	var list []probe
	add := func(subject string, allowed bool) { list = append(list, probe{subject: subject, allowed: allowed}) }
	for _, subject := range []string{
		"$JS.API.CONSUMER.CREATE." + contract.StreamName, "$JS.API.CONSUMER.CREATE." + contract.StreamName + ".c.im.evt.>",
		"$JS.API.CONSUMER.DURABLE.CREATE." + contract.StreamName + ".c", "$JS.API.CONSUMER.MSG.NEXT." + contract.StreamName + ".c",
		"$JS.API.STREAM.DELETE." + contract.StreamName, "$JS.API.STREAM.PURGE." + contract.StreamName,
		"$JS.API.STREAM.UPDATE." + contract.StreamName, "$JS.API.STREAM.MSG.GET." + contract.StreamName,
		"$JS.API.STREAM.CREATE.OTHER", "$JS.API.STREAM.NAMES", "$JS.API.INFO", "$JS.ACK.x", "$KV.x.y",
		"$SYS.REQ.SERVER.PING", "$SYS.REQ.USER.INFO", "im.room.r1.unknown", "im.evt.x.y", "im.svc.x", "other",
	} {
		add(subject, false)
	}
	add("$SRV.STATS.auth", service == contract.Admin)
	for _, to := range callers() {
		for _, from := range contract.Services() {
			calls := slices.ContainsFunc(contract.Methods(), func(m contract.MethodInfo) bool {
				return m.Service == from && slices.Contains(m.Callers, to)
			})
			add(to.InboxPrefix()+"."+string(from)+".a.b", from == service && calls)
		}
		add(to.InboxPrefix()+".a.b", false)
	}
	for _, m := range contract.Methods() {
		may := slices.Contains(m.Callers, service)
		add(m.Subject, may)
		add(m.Subject+".replica1", may && m.Pinned)
	}
	for _, p := range contract.Pushes() {
		add("im.room.x."+string(p.Op), mayPush(service, p.Op, contract.ScopeRoom))
		add("im.user.x."+string(p.Op), mayPush(service, p.Op, contract.ScopeUser))
	}
	for _, e := range contract.Events() {
		add(e.Subject, e.Service == service)
	}
	return list
}

// mayPush reports whether a service may push that to rooms or users: some ops
// are pushed to both.
func mayPush(service contract.Service, op contract.Op, to contract.Scope) bool {
	return slices.ContainsFunc(contract.Pushes(), func(p contract.PushInfo) bool {
		return p.Op == op && p.Scope == to && slices.Contains(p.Publishers, service)
	})
}

func subscribeProbes(service contract.Service) []probe {
	gateway := service == contract.Gateway
	list := []probe{
		{subject: "im.room.>", allowed: gateway}, {subject: "im.room.r1.message", allowed: gateway}, {subject: "im.user.u1.>", allowed: gateway},
		{subject: "im.room.r1.>", queue: "q"}, {subject: "im.user.u1.>", queue: "q.dotted"},
	}
	for _, subject := range []string{">", "im.>", "im.svc.>", "im.evt.>", "_INBOX.>", "$JS.>", "$SYS.>", "$JS.EVENT.ADVISORY.>"} {
		list = append(list, probe{subject: subject})
	}
	for _, s := range callers() {
		list = append(list, probe{subject: s.InboxPrefix() + ".>", allowed: s == service}, probe{subject: "im.svc." + string(s) + ".>"})
	}
	for _, m := range contract.Methods() {
		list = append(list, probe{subject: m.Subject, allowed: m.Service == service},
			probe{subject: m.Subject + ".replica1", allowed: m.Service == service && m.Pinned})
	}
	return list
}

// refusals tries all of it. What is refused is logged by the service itself
// and by the server; the rest by neither.
func refusals(t *testing.T, c *cluster, m *member, publish, subscribe []probe) {
	// Logged refusals are looked for by name, which must be new.
	const sentinel = "sentinel"
	wanted := map[string]probe{}
	for _, p := range publish {
		wanted[fmt.Sprintf("Publish to %q", p.subject)] = p
		if err := m.Publish(p.subject, []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range subscribe {
		what := fmt.Sprintf("Subscription to %q", p.subject)
		if p.queue != "" {
			what += fmt.Sprintf(" using queue %q", p.queue)
		}
		wanted[what] = p
		if _, err := m.QueueSubscribe(p.subject, p.queue, func(*nats.Msg) {}); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Publish(sentinel, nil); err != nil {
		t.Fatal(err)
	}
	await(t, "the last refusal", func() bool { return m.log.refusals(t)[`Publish to "`+sentinel+`"`] })
	refused, log := m.log.refusals(t), serverLines(c.log(t), m)
	for what, p := range wanted {
		if refused[what] == p.allowed {
			t.Errorf("%s: refused %v, want %v", what, refused[what], !p.allowed)
		}
		direction, _, _ := strings.Cut(what, " ")
		line := fmt.Sprintf("%s Violation - Subject %q", direction, p.subject)
		if p.queue != "" {
			line += fmt.Sprintf(", Queue: %q", p.queue)
		}
		if logged := strings.Contains(log, line); !p.allowed && !logged {
			t.Errorf("%s: not in the server's log", what)
		}
	}
	if t.Failed() {
		t.Log(log)
	}
}

// serverLines are the servers' lines about a connection.
func serverLines(log string, m *member) string {
	id, err := m.GetClientID()
	if err != nil {
		return err.Error()
	}
	var about strings.Builder
	for line := range strings.Lines(log) {
		if strings.Contains(line, m.LocalAddr()+" - cid:"+fmt.Sprint(id)) {
			about.WriteString(line)
		}
	}
	return about.String()
}

func observer(t *testing.T, c *cluster) {
	m := c.connect(t, contract.Service(contract.ObserverUser))
	publish := []probe{{subject: "$SRV.PING", allowed: true}}
	for _, p := range publishProbes("nobody") {
		if !strings.HasPrefix(p.subject, "$SRV.") {
			publish = append(publish, p)
		}
	}
	var subscribe []probe
	for _, subject := range []string{"im.room.>", "im.user.>", "im.evt.>", "$SRV.>", "_INBOX.>"} {
		subscribe = append(subscribe, probe{subject: subject, allowed: true}, probe{subject: subject, queue: "q"}, probe{subject: subject, queue: "q.dotted"})
	}
	for _, subject := range []string{">", "im.>", "im.svc.>", contract.Login.Subject(), "$JS.>", "$SYS.>", "_INBOX_auth.>"} {
		subscribe = append(subscribe, probe{subject: subject})
	}
	refusals(t, c, m, publish, subscribe)
}

// overstep is the case that matters most: a gateway, which the internet
// reaches, in somebody else's hands.
func overstep(t *testing.T, c *cluster) {
	chat, gateway, operator := c.connect(t, contract.Chat), c.connect(t, contract.Gateway), c.mustDial(t, contract.OperatorUser)
	forged, err := operator.SubscribeSync("im.room.x.message")
	if err != nil {
		t.Fatal(err)
	}
	answers, err := chat.SubscribeSync("_INBOX_chat.social.1")
	if err != nil {
		t.Fatal(err)
	}
	settle(t, operator)
	settle(t, chat.Conn)
	if err := gateway.Publish("im.room.x.message", []byte(`{"op":"message"}`)); err != nil {
		t.Fatal(err)
	}
	inbox, err := gateway.SubscribeSync("_INBOX_chat.>")
	if err != nil {
		t.Fatal(err)
	}
	await(t, "the gateway's own log of both", func() bool {
		refused := gateway.log.refusals(t)
		return refused[`Publish to "im.room.x.message"`] && refused[`Subscription to "_INBOX_chat.>"`]
	})
	await(t, "the metric", func() bool { return counted(t, gateway, "permission") == 2 })
	log := serverLines(c.log(t), gateway)
	t.Log(log)
	for _, want := range []string{"nkey:" + c.set["NATS_GATEWAY_NKEY"], `Publish Violation - Subject "im.room.x.message"`, `Subscription Violation - Subject "_INBOX_chat.>"`} {
		if !strings.Contains(log, want) {
			t.Errorf("the server's log has no %s", want)
		}
	}
	await(t, "an answer to chat", func() bool {
		if err := operator.Publish("_INBOX_chat.social.1", []byte("secret")); err != nil {
			t.Fatal(err)
		}
		_, err := answers.NextMsg(100 * time.Millisecond)
		return err == nil
	})
	settle(t, gateway.Conn)
	for what, sub := range map[string]*nats.Subscription{"the forged message": forged, "chat's answer": inbox} {
		if n, _, err := sub.Pending(); n != 0 || err != nil {
			t.Errorf("%s arrived: %d, %v", what, n, err)
		}
	}
}

// counted is parley_nats_errors_total of one kind.
func counted(t *testing.T, m *member, kind string) float64 {
	t.Helper()
	families, err := m.tel.Metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, metric := range f.GetMetric() {
			for _, label := range metric.GetLabel() {
				if f.GetName() == "parley_nats_errors_total" && label.GetName() == "kind" && label.GetValue() == kind {
					return metric.GetCounter().GetValue()
				}
			}
		}
	}
	return 0
}

// accounts shows that the operator has all of Parley and nothing of the
// servers, and the system user the servers and nothing of Parley.
func accounts(t *testing.T, c *cluster, members map[contract.Service]*member) {
	operator, system := c.mustDial(t, contract.OperatorUser), c.mustDial(t, "system")
	if _, err := system.Request("$SYS.REQ.SERVER.PING", nil, 10*time.Second); err != nil {
		t.Errorf("the system user asks the servers: %v", err)
	}
	if m, err := operator.Request("$SYS.REQ.SERVER.PING", nil, 10*time.Second); !errors.Is(err, nats.ErrNoResponders) {
		t.Errorf("the operator asks the servers: %v, %v", m, err)
	}
	js, err := jetstream.New(system)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.Stream(t.Context(), contract.StreamName); err == nil {
		t.Error("the system user sees the stream")
	}
	heard, err := system.SubscribeSync("im.>")
	if err != nil {
		t.Fatal(err)
	}
	settle(t, system)
	const subject = "im.room.accounts.message"
	room, err := operator.SubscribeSync(subject)
	if err != nil {
		t.Fatal(err)
	}
	settle(t, operator)
	if err := system.Publish(subject, []byte("system")); err != nil {
		t.Fatal(err)
	}
	settle(t, system)
	await(t, "a push of chat", func() bool {
		if err := members[contract.Chat].Publish(subject, []byte("chat")); err != nil {
			t.Fatal(err)
		}
		m, err := room.NextMsg(100 * time.Millisecond)
		if err == nil && string(m.Data) != "chat" {
			t.Errorf("Parley hears %q", m.Data)
		}
		return err == nil
	})
	if m, err := heard.NextMsg(10 * time.Second); err != nil || string(m.Data) != "system" {
		t.Errorf("the system user hears %v, %v; want itself", m, err)
	}
	if n, _, err := heard.Pending(); n != 0 || err != nil {
		t.Errorf("the system user hears %d pushes more, %v", n, err)
	}
}
