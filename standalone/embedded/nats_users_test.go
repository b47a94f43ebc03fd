package embedded

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nats.go/micro"

	"github.com/parley-im/parley/pkg/contract"
)

// sentinel is a subject that nobody but the operator may use. Its refusal
// shows that every earlier one has arrived.
const sentinel = "sentinel"

func TestNATSUsers_Passwords(t *testing.T) {
	cfg := natsConfig(t)
	n := startNATS(t, cfg)
	for _, user := range natsUserNames() {
		for name, password := range map[string]string{"none": "", "another user's": cfg.Secrets.Redis} {
			nc, err := nats.Connect(n.URL(), nats.UserInfo(user, password))
			if !errors.Is(err, nats.ErrAuthorization) {
				nc.Close()
				t.Errorf("%s with password %s: %v, want refusal", user, name, err)
			}
		}
	}
}

// callers are all that the table of methods may name.
func callers() []contract.Service { return append(contract.Services(), contract.Admin) }

func TestNATSUsers_Publish(t *testing.T) {
	cfg := natsConfig(t)
	n := startNATS(t, cfg)
	for _, service := range callers() {
		t.Run(string(service), func(t *testing.T) {
			c := watchedConn(t, n, cfg.Secrets, string(service))
			for subject, want := range publishProbes(t, service) {
				c.publish(t, subject, want)
			}
			c.check(t)
		})
	}
}

// publishProbes says of concrete subjects whether the service may publish
// there.
func publishProbes(t *testing.T, service contract.Service) map[string]bool {
	t.Helper()
	probes := map[string]bool{
		"im.evt.x.y":         false,
		"_INBOX.a.b":         service != contract.Gateway && service != contract.Admin, // answers to people
		"$SYS.REQ.SERVER":    false,
		"$JS.API.INFO":       false,
		"$JS.ACK.x":          false,
		"$KV.x.y":            false,
		"im.room.r1.unknown": false,
		"im.svc.x":           false,
	}
	for _, verb := range []string{"DELETE", "PURGE", "UPDATE", "MSG.GET", "MSG.DELETE", "SNAPSHOT"} {
		probes["$JS.API.STREAM."+verb+"."+contract.StreamName] = false
	}
	probes["$JS.API.CONSUMER.CREATE."+contract.StreamName] = false
	probes["$JS.API.STREAM.CREATE.OTHER"] = false
	for _, s := range callers() {
		probes[s.InboxPrefix()+".a.b"] = false
		probes["$SRV.STATS."+string(s)] = service == contract.Admin && s != contract.Admin
		for _, from := range contract.Services() {
			probes[s.InboxPrefix()+"."+string(from)+".a.b"] = from == service && calls(s, from)
		}
	}
	for _, m := range contract.Methods() {
		may := slices.Contains(m.Callers, service)
		probes[m.Subject] = may
		probes[m.Subject+".replica1"] = may && m.Pinned
	}
	for _, p := range contract.Pushes() {
		probes["im.room.r1."+string(p.Op)] = mayPush(service, p.Op, contract.ScopeRoom)
		probes["im.user.u1."+string(p.Op)] = mayPush(service, p.Op, contract.ScopeUser)
	}
	for _, e := range contract.Events() {
		probes[e.Subject] = e.Service == service
	}
	return probes
}

// mayPush reports whether a service may push that to rooms or users: some ops
// are pushed to both.
func mayPush(service contract.Service, op contract.Op, to contract.Scope) bool {
	return slices.ContainsFunc(contract.Pushes(), func(p contract.PushInfo) bool {
		return p.Op == op && p.Scope == to && slices.Contains(p.Publishers, service)
	})
}

// calls reports whether a service may call any method of another.
func calls(caller, service contract.Service) bool {
	return slices.ContainsFunc(contract.Methods(), func(m contract.MethodInfo) bool {
		return m.Service == service && slices.Contains(m.Callers, caller)
	})
}

func TestNATSUsers_Subscribe(t *testing.T) {
	cfg := natsConfig(t)
	n := startNATS(t, cfg)
	for _, service := range callers() {
		t.Run(string(service), func(t *testing.T) {
			c := watchedConn(t, n, cfg.Secrets, string(service))
			for subject, want := range subscribeProbes(service) {
				c.subscribe(t, subject, "", want)
			}
			if service == contract.Gateway {
				c.subscribe(t, "im.room.r1.>", "queue", false)
				c.subscribe(t, "im.user.u1.>", "queue.dotted", false)
			}
			c.check(t)
		})
	}
}

// subscribeProbes says of subjects whether the service may listen there.
func subscribeProbes(service contract.Service) map[string]bool {
	gateway := service == contract.Gateway
	probes := map[string]bool{
		">":                        false,
		"im.>":                     false,
		"im.svc.>":                 false,
		"im.evt.>":                 false,
		"im.room.>":                gateway,
		"im.room.r1.>":             gateway,
		"im.room.r1.message":       gateway,
		"im.user.u1.>":             gateway,
		"_INBOX.>":                 false,
		"$JS.>":                    false,
		"$SYS.>":                   false,
		"$JS.EVENT.ADVISORY.>":     false,
		contract.StreamName + ".>": false,
	}
	for _, s := range callers() {
		probes[s.InboxPrefix()+".>"] = s == service
		probes["im.svc."+string(s)+".>"] = false
	}
	for _, m := range contract.Methods() {
		probes[m.Subject] = m.Service == service
		probes[m.Subject+".replica1"] = m.Service == service && m.Pinned
	}
	for _, op := range contract.MembershipOps() {
		probes[contract.EveryRoom(op)] = gateway || service == contract.Chat
	}
	return probes
}

func TestNATSUsers_Observer(t *testing.T) {
	cfg := natsConfig(t)
	n := startNATS(t, cfg)
	c := watchedConn(t, n, cfg.Secrets, "")
	for _, subject := range []string{"im.room.>", "im.user.>", "im.evt.>", "im.room.r1.message", "$SRV.>"} {
		c.subscribe(t, subject, "", true)
		c.subscribe(t, subject, "queue", false)
		c.subscribe(t, subject, "queue.dotted", false)
	}
	for _, subject := range []string{">", "im.>", "im.svc.>", "im.svc.auth.login", "$JS.>", "$SYS.>", "_INBOX_auth.>", "*.svc.>"} {
		c.subscribe(t, subject, "", false)
	}
	c.publish(t, "$SRV.PING", true)
	for _, subject := range []string{
		"im.svc.auth.login", "im.room.r1.message", "im.user.u1.session.revoked", "im.evt.auth.x", "$JS.API.INFO",
		"$JS.API.STREAM.INFO." + contract.StreamName, "$JS.API.STREAM.NAMES",
		"$JS.API.CONSUMER.CREATE." + contract.StreamName, "_INBOX.a", "_INBOX_gateway.a",
	} {
		c.publish(t, subject, false)
	}
	c.check(t)

	js := jetStream(t, c.nc)
	if _, err := js.Stream(within(t, 200*time.Millisecond), contract.StreamName); err == nil || errors.Is(err, jetstream.ErrStreamNotFound) {
		t.Errorf("observer asked JetStream: %v", err)
	}
}

func TestNATSUsers_Operator(t *testing.T) {
	cfg := natsConfig(t)
	n := startNATS(t, cfg)
	nc := connectAs(t, n, cfg.Secrets, contract.OperatorUser)
	info, err := jetStream(t, nc).AccountInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if info.Streams != 0 {
		t.Errorf("%d streams in a fresh directory", info.Streams)
	}
}

// A service answers who may call it, and micro's discovery.
func TestNATSUsers_Answers(t *testing.T) {
	cfg := natsConfig(t)
	n := startNATS(t, cfg)
	method := contract.Methods()[0]
	server := connectAs(t, n, cfg.Secrets, string(method.Service))
	svc, err := micro.AddService(server, micro.Config{Name: string(method.Service), Version: "1.0.0"})
	if err != nil {
		t.Fatal(err)
	}
	err = svc.AddEndpoint(method.Name, micro.HandlerFunc(func(r micro.Request) {
		_ = r.Respond([]byte("yes"))
	}), micro.WithEndpointSubject(method.Subject))
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Flush(); err != nil {
		t.Fatal(err)
	}

	caller := connectAs(t, n, cfg.Secrets, string(method.Callers[0]), // answers of that service only
		nats.CustomInboxPrefix(method.Callers[0].InboxPrefix()+"."+string(method.Service)))
	reply, err := caller.RequestWithContext(within(t, 5*time.Second), method.Subject, nil)
	if err != nil || string(reply.Data) != "yes" {
		t.Errorf("call: %v, %v", reply, err)
	}
	observer := connectAs(t, n, cfg.Secrets, "")
	reply, err = observer.RequestWithContext(within(t, 5*time.Second), "$SRV.PING", nil)
	if err != nil || !strings.Contains(string(reply.Data), `"name":"`+string(method.Service)+`"`) {
		t.Errorf("ping: %v, %v", reply, err)
	}
}

// watched is a connection that remembers what it was refused.
type watched struct {
	nc   *nats.Conn
	done chan struct{} // closed when the sentinel was refused

	mu      sync.Mutex
	refused []string
	wanted  map[string]bool // by "publish SUBJECT" or "subscribe SUBJECT QUEUE"
}

func watchedConn(t *testing.T, n *NATS, secrets Secrets, user string) *watched {
	t.Helper()
	c := &watched{done: make(chan struct{}), wanted: map[string]bool{}}
	c.nc = connectAs(t, n, secrets, user, nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.refused = append(c.refused, err.Error())
		if strings.Contains(err.Error(), `Publish to "`+sentinel+`"`) {
			close(c.done)
		}
	}))
	return c
}

func (c *watched) publish(t *testing.T, subject string, allowed bool) {
	t.Helper()
	c.wanted[`Publish to "`+subject+`"`] = allowed
	if err := c.nc.Publish(subject, []byte("{}")); err != nil {
		t.Fatal(err)
	}
}

func (c *watched) subscribe(t *testing.T, subject, queue string, allowed bool) {
	t.Helper()
	what := `Subscription to "` + subject + `"`
	if queue != "" {
		what += ` using queue "` + queue + `"`
	}
	c.wanted[what] = allowed
	if _, err := c.nc.QueueSubscribe(subject, queue, func(*nats.Msg) {}); err != nil {
		t.Fatal(err)
	}
}

// check compares what was refused with what should have been.
func (c *watched) check(t *testing.T) {
	t.Helper()
	if err := c.nc.Publish(sentinel, nil); err != nil {
		t.Fatal(err)
	}
	select {
	case <-c.done:
	case <-time.After(10 * time.Second):
		t.Fatal("the sentinel was not refused")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for what, allowed := range c.wanted {
		refused := slices.ContainsFunc(c.refused, func(err string) bool {
			return strings.HasSuffix(err, what)
		})
		if refused == allowed {
			t.Errorf("%s: refused %v, want %v", what, refused, !allowed)
		}
	}
}
