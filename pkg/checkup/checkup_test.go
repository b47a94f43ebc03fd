package checkup_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-im/parley/pkg/bus"
	"github.com/parley-im/parley/pkg/checkup"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/schema"
	"github.com/parley-im/parley/pkg/telemetry"
)

// layout is what a store says of its schema.
type layout struct {
	state schema.State
	err   error
}

func (l *layout) Schema(context.Context) (schema.State, error) { return l.state, l.err }

// patient is a replica of chat on a NATS server of its own.
type patient struct {
	checkup.Replica
	layout *layout
	server *server.Server
}

func newPatient(t *testing.T, p contract.Permission) *patient {
	t.Helper()
	publish, subscribe := p.Rules()
	srv, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: -1, NoSigs: true, NoLog: true, JetStream: true, StoreDir: t.TempDir(),
		Users: []*server.User{{Username: "operator"}, {Username: "chat", Permissions: &server.Permissions{
			Publish:   &server.SubjectPermission{Allow: publish.Allow, Deny: publish.Deny},
			Subscribe: &server.SubjectPermission{Allow: subscribe.Allow, Deny: subscribe.Deny},
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	srv.Start()
	t.Cleanup(func() { srv.Shutdown(); srv.WaitForShutdown() })
	if !srv.ReadyForConnections(10 * time.Second) {
		t.Fatal("the NATS server does not start")
	}
	tel := telemetry.Discard(contract.Chat)
	cfg := bus.Config{URL: srv.ClientURL(), User: "chat"}
	nc, err := bus.ConnectStream(t.Context(), cfg, bus.StreamConfig{}, contract.Chat, tel)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	l := &layout{state: schema.State{Version: schema.Version{Steps: 2}, Known: 2}}
	return &patient{layout: l, server: srv, Replica: checkup.Replica{
		Service: contract.Chat, ID: "r1", Now: time.Now, Health: tel.Health, Store: l, Conn: nc, NATS: cfg,
	}}
}

// diagnose returns the checks that do not hold, with what they say.
func (p *patient) diagnose(t *testing.T) map[string]string {
	t.Helper()
	d, err := p.Diagnose(t.Context(), contract.Empty{})
	if err != nil {
		t.Fatal(err)
	}
	wrong := map[string]string{}
	var names []string
	for _, c := range d.Checks {
		names = append(names, c.Name)
		if !c.OK {
			wrong[c.Name] = c.Detail
		}
	}
	if want := []string{"nats", "store.schema", "store.indexes", "stream", "permissions"}; !slices.Equal(names, want) {
		t.Errorf("it looked at %v, want %v", names, want)
	}
	return wrong
}

func TestReplica_Diagnose(t *testing.T) {
	p := newPatient(t, contract.Permissions(contract.Chat))
	if wrong := p.diagnose(t); len(wrong) > 0 {
		t.Errorf("of a healthy one: %v", wrong)
	}
	t.Run("who and when it is", func(t *testing.T) {
		at := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
		p.Now = func() time.Time { return at }
		d, err := p.Diagnose(t.Context(), contract.Empty{})
		if err != nil || d.Service != contract.Chat || d.Replica != "r1" || d.Version == "" || !d.Now.Equal(at) {
			t.Errorf("got %+v, %v", d, err)
		}
	})
	for name, c := range map[string]struct {
		layout      layout
		check, want string
	}{
		"a missing index":   {layout{state: schema.State{Missing: []string{"a", "b"}}}, "store.indexes", "missing: a, b"},
		"an older database": {layout{state: schema.State{Version: schema.Version{Steps: 1}, Known: 2}}, "store.schema", "version 1, this program knows 2"},
		"no answer":         {layout{err: errors.New("it is away")}, "store.indexes", "it is away"},
	} {
		t.Run(name, func(t *testing.T) {
			*p.layout = c.layout
			if got := p.diagnose(t)[c.check]; got != c.want {
				t.Errorf("%s is %q, want %q", c.check, got, c.want)
			}
		})
	}
	t.Run("a newer database is fine", func(t *testing.T) {
		*p.layout = layout{state: schema.State{Version: schema.Version{Steps: 3}, Known: 2}}
		if wrong := p.diagnose(t); len(wrong) > 0 {
			t.Error(wrong)
		}
	})
	t.Run("a stream with a limit, and none", func(t *testing.T) {
		nc, err := nats.Connect(p.server.ClientURL(), nats.UserInfo("operator", ""))
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		js, err := jetstream.New(nc)
		if err != nil {
			t.Fatal(err)
		}
		stream, err := js.Stream(t.Context(), contract.StreamName)
		if err != nil {
			t.Fatal(err)
		}
		limited := stream.CachedInfo().Config
		limited.MaxAge = time.Hour
		if _, err := js.UpdateStream(t.Context(), limited); err != nil {
			t.Fatal(err)
		}
		if got := p.diagnose(t)["stream"]; !strings.HasSuffix(got, "not configured as this build would: max_age") {
			t.Errorf("with a limit: %q", got)
		}
		if err := js.DeleteStream(t.Context(), contract.StreamName); err != nil {
			t.Fatal(err)
		}
		if got := p.diagnose(t)["stream"]; !strings.Contains(got, "stream not found") {
			t.Errorf("without a stream: %q", got)
		}
	})
}

func TestReplica_Diagnose_permissions(t *testing.T) {
	lacking := contract.Permissions(contract.Chat)
	lacking.PublishAllow = slices.DeleteFunc(lacking.PublishAllow, func(s string) bool { return s == "im.room.*.message" })
	p := newPatient(t, lacking)
	if got := p.diagnose(t)["permissions"]; got != "NATS refuses: publish im.room.*.message" {
		t.Errorf("got %q", got)
	}
}
