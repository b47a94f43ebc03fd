package bus_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/parley-im/parley/pkg/bus"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/sqlite"
	"github.com/parley-im/parley/pkg/telemetry"
)

// natsServer is a server that can be stopped and started on its own port and
// directory.
type natsServer struct {
	options server.Options
	running *server.Server
}

// writerFunc is an io.Writer.
type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func startNATS(t *testing.T, edit ...func(*server.Options)) *natsServer {
	t.Helper()
	s := &natsServer{options: server.Options{
		Host: "127.0.0.1", Port: -1, NoSigs: true, NoLog: true, JetStream: true, StoreDir: t.TempDir(), SyncAlways: true,
	}}
	for _, f := range edit {
		f(&s.options)
	}
	s.start(t)
	s.options.Port = s.running.Addr().(*net.TCPAddr).Port
	t.Cleanup(s.stop)
	return s
}

func (s *natsServer) start(t *testing.T) {
	t.Helper()
	options := s.options
	srv, err := server.NewServer(&options)
	if err != nil {
		t.Fatal(err)
	}
	srv.Start()
	if !srv.ReadyForConnections(10 * time.Second) {
		t.Fatal("the NATS server does not start")
	}
	s.running = srv
}

func (s *natsServer) stop() {
	s.running.Shutdown()
	s.running.WaitForShutdown()
}

func connect(t *testing.T, url string, h *bus.Hooks) (*nats.Conn, *telemetry.Telemetry) {
	t.Helper()
	tel := telemetry.Discard(contract.Social)
	nc, err := bus.Connect(t.Context(), bus.Config{URL: url}, contract.Social, tel, bus.WithHooks(h))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc, tel
}

func openOutbox(t *testing.T) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "outbox.db"), sqlite.Schema{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("in vain: %s", what)
		}
	}
}

// relayed reads IM_EVENTS from its start.
func relayed(t *testing.T, nc *nats.Conn) []jetstream.Msg {
	t.Helper()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	consumer, err := js.OrderedConsumer(t.Context(), contract.StreamName, jetstream.OrderedConsumerConfig{})
	if err != nil {
		return nil
	}
	batch, err := consumer.FetchNoWait(10_000)
	if err != nil {
		return nil
	}
	var list []jetstream.Msg
	for m := range batch.Messages() {
		list = append(list, m)
	}
	return list
}

func TestConnect(t *testing.T) {
	srv := startNATS(t)
	url := srv.running.ClientURL()
	t.Run("mends itself, tells who asked, and is not ready meanwhile", func(t *testing.T) {
		hooks := &bus.Hooks{}
		back := make(chan struct{}, 1)
		hooks.OnReconnect(func() { back <- struct{}{} })
		nc, tel := connect(t, url, hooks)
		if err := tel.Health.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		srv.stop()
		eventually(t, "not ready", func() bool { return tel.Health.Ready(t.Context()) != nil })
		if err := nc.Publish("x", nil); err == nil {
			t.Fatal("a publish was kept to be sent late")
		}
		srv.start(t)
		select {
		case <-back:
		case <-time.After(30 * time.Second):
			t.Fatal("no reconnect")
		}
		eventually(t, "ready again", func() bool { return tel.Health.Ready(t.Context()) == nil })
	})
	t.Run("waits for a server until its time is over, and keeps the password to itself", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		_, err := bus.Connect(ctx, bus.Config{URL: "nats://chat:hunter2@127.0.0.1:1"}, contract.Chat, telemetry.Discard(contract.Chat))
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Fatalf("got %v", err)
		}
	})
	t.Run("warns that it waits, and where for, without the password", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		tel := telemetry.Discard(contract.Chat)
		var log strings.Builder
		tel.Log = slog.New(slog.NewTextHandler(writerFunc(func(line []byte) (int, error) {
			defer cancel() // it has said what it had to
			return log.Write(line)
		}), nil))
		_, err := bus.Connect(ctx, bus.Config{URL: "nats://chat:hunter2@127.0.0.1:1"}, contract.Chat, tel)
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
		said, _, _ := strings.Cut(log.String(), "\n")
		if !strings.Contains(said, "level=WARN") || !strings.Contains(said, `msg="waiting for NATS" server=nats://127.0.0.1:1`) || strings.Contains(said, "hunter2") {
			t.Errorf("logged %s", said)
		}
	})
	t.Run("tells of dropped deliveries", func(t *testing.T) {
		hooks := &bus.Hooks{}
		dropped := make(chan *nats.Subscription, 10)
		hooks.OnDropped(func(sub *nats.Subscription) { dropped <- sub })
		nc, _ := connect(t, url, hooks)
		sub, err := nc.ChanSubscribe("busy", make(chan *nats.Msg, 1))
		if err != nil {
			t.Fatal(err)
		}
		for range 10 {
			if err := nc.Publish("busy", nil); err != nil {
				t.Fatal(err)
			}
		}
		select {
		case got := <-dropped:
			if got != sub {
				t.Fatal("of another subscription")
			}
		case <-time.After(30 * time.Second):
			t.Fatal("not told")
		}
	})
}

// What its connection's move to another server interrupts, a service may answer
// on the new one; what it may not publish is counted and logged.
func TestConnect_permissions(t *testing.T) {
	publish, subscribe := contract.Permissions(contract.Social).Rules()
	srv := startNATS(t, func(o *server.Options) {
		o.Users = []*server.User{{Username: "social", Password: "p", Permissions: &server.Permissions{
			Publish:   &server.SubjectPermission{Allow: publish.Allow, Deny: publish.Deny},
			Subscribe: &server.SubjectPermission{Allow: subscribe.Allow, Deny: subscribe.Deny},
		}}, {Username: "gateway", Password: "p"}}
	})
	url := func(user string) string {
		return strings.Replace(srv.running.ClientURL(), "://", "://"+user+":p@", 1)
	}
	hooks := &bus.Hooks{}
	back := make(chan struct{}, 1)
	hooks.OnReconnect(func() { back <- struct{}{} })
	nc, tel := connect(t, url("social"), hooks)
	method := contract.AddFriend.Subject()
	asked, err := nc.SubscribeSync(method)
	if err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	caller, err := nats.Connect(url("gateway"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(caller.Close)
	const inbox = "_INBOX_gateway.social.1"
	answers, err := caller.SubscribeSync(inbox)
	if err != nil {
		t.Fatal(err)
	}
	if err := caller.PublishRequest(method, inbox, nil); err != nil {
		t.Fatal(err)
	}
	request, err := asked.NextMsg(10 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if err := nc.ForceReconnect(); err != nil {
		t.Fatal(err)
	}
	<-back
	if err := request.Respond([]byte("late")); err != nil {
		t.Fatal(err)
	}
	if _, err := answers.NextMsg(10 * time.Second); err != nil {
		t.Errorf("the answer after a reconnect: %v", err)
	}
	if err := nc.Publish("elsewhere", nil); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the refusal is counted", func() bool { return counter(t, tel, "permission") == 1 })
}

// counter is the count of one kind of parley_nats_errors_total.
func counter(t *testing.T, tel *telemetry.Telemetry, kind string) float64 {
	t.Helper()
	families, err := tel.Metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "parley_nats_errors_total" && m.GetLabel()[0].GetValue() == kind {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}

func TestEnsureStream_is_made_once(t *testing.T) {
	srv := startNATS(t)
	nc, _ := connect(t, srv.running.ClientURL(), &bus.Hooks{})
	errs := make(chan error, 8)
	for range 8 {
		go func() { errs <- bus.EnsureStream(t.Context(), nc, bus.StreamConfig{}) }()
	}
	for range 8 {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
	}
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(t.Context(), contract.StreamName)
	if err != nil {
		t.Fatal(err)
	}
	if c := stream.CachedInfo().Config; c.MaxAge != 0 || c.Storage != jetstream.FileStorage || c.Discard != jetstream.DiscardNew {
		t.Fatalf("got %+v", c)
	}
}

// The payload is the frame, whether or not a trace goes along; without one that
// is recorded there is no header.
func TestPush_carries_recorded_traces_only(t *testing.T) {
	srv := startNATS(t)
	nc, tel := connect(t, srv.running.ClientURL(), &bus.Hooks{})
	spans := tracetest.NewInMemoryExporter()
	tel.Tracer = sdk.NewTracerProvider(sdk.WithSyncer(spans))
	sub, err := nc.SubscribeSync("im.>")
	if err != nil {
		t.Fatal(err)
	}
	p := bus.NewPusher(nc, tel)
	data := contract.RoomHeadData{RoomID: "r", LastSeq: 7}
	want, err := contract.RoomHeadPushed.Encode(data)
	if err != nil {
		t.Fatal(err)
	}
	for name, ctx := range map[string]context.Context{
		"":         t.Context(),
		"dropped":  begun(t, sdk.NeverSample()),
		"recorded": begun(t, sdk.AlwaysSample()),
	} {
		bus.Push(ctx, p, contract.RoomHeadPushed, "r", data)
		m, err := sub.NextMsg(10 * time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if m.Subject != "im.room.r.room.head" || !bytes.Equal(m.Data, want) {
			t.Errorf("%s: %s %s", name, m.Subject, m.Data)
		}
		published := spans.GetSpans()
		if name != "recorded" {
			if len(m.Header) != 0 || len(published) != 0 {
				t.Errorf("%q: headers %v, %d spans", name, m.Header, len(published))
			}
			continue
		}
		if len(published) != 1 || published[0].SpanKind != trace.SpanKindProducer || published[0].Name != "publish im.room.*.room.head" ||
			!strings.Contains(m.Header["traceparent"][0], published[0].SpanContext.SpanID().String()) {
			t.Errorf("headers %v, spans %+v", m.Header, published)
		}
		spans.Reset()
	}
}

func begun(t *testing.T, sampler sdk.Sampler) context.Context {
	t.Helper()
	ctx, span := sdk.NewTracerProvider(sdk.WithSampler(sampler)).Tracer("test").Start(t.Context(), "act")
	t.Cleanup(func() { span.End() })
	return ctx
}
