package rpc_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/rpc"
	"github.com/parley-im/parley/pkg/telemetry"
)

// The fixture methods; that they belong to chat means nothing.
type (
	echoRequest struct {
		Text  string            `json:"text"`
		Count int               `json:"count,omitempty"`
		At    *contract.Time    `json:"at,omitempty"`
		Tags  map[string]string `json:"tags,omitempty"`
	}
	echoReply struct {
		Text    string `json:"text"`
		Replica string `json:"replica"`
	}
)

func echoMethod() contract.Method[echoRequest, echoReply] {
	return contract.Method[echoRequest, echoReply]{Service: contract.Chat, Name: "echo", Pinned: true}
}

func askMethod() contract.Method[echoRequest, echoReply] {
	return contract.Method[echoRequest, echoReply]{Service: contract.Chat, Name: "ask"}
}

// startNATS runs a server with its defaults, changed by edit, until the test
// ends.
func startNATS(t testing.TB, edit ...func(*server.Options)) *server.Server {
	t.Helper()
	o := &server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true}
	for _, f := range edit {
		f(o)
	}
	ns, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	ns.Start()
	t.Cleanup(func() { ns.Shutdown(); ns.WaitForShutdown() })
	if !ns.ReadyForConnections(long) {
		t.Fatal("nats-server does not start")
	}
	return ns
}

func portOf(ns *server.Server) int { return ns.Addr().(*net.TCPAddr).Port }

// connect returns a connection with the options that Parley uses.
func connect(t testing.TB, ns *server.Server, opts ...nats.Option) *nats.Conn {
	t.Helper()
	opts = append([]nats.Option{
		nats.MaxReconnects(-1), nats.ReconnectBufSize(-1), nats.ReconnectWait(10 * time.Millisecond),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}),
	}, opts...)
	nc, err := nats.Connect(ns.ClientURL(), opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

// running is a server under test.
type running struct {
	*rpc.Server
	cancel context.CancelFunc
	done   chan error
}

// start runs s until stop or the test's end and returns once it is ready.
func start(t testing.TB, s *rpc.Server) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{Server: s, cancel: cancel, done: make(chan error, 1)}
	go func() { r.done <- s.Run(ctx) }() // ends with ctx; t.Cleanup waits
	t.Cleanup(func() {
		cancel()
		if err := r.stop(); err != nil {
			t.Errorf("server ended with: %v", err)
		}
	})
	await(t, "the server to be ready", func() bool { return s.Ready(context.Background()) == nil })
	return r
}

// stop drains the server and returns what Run returned, the first time.
func (r *running) stop() error {
	r.cancel()
	err, ok := <-r.done
	if ok {
		close(r.done)
	}
	return err
}

// options are a server's for chat.
func options() rpc.ServerOptions {
	return rpc.ServerOptions{Service: contract.Chat, Version: "1.2.3", Workers: 8}
}

// serveEcho runs a replica that answers both methods with h.
func serveEcho(t testing.TB, nc *nats.Conn, o rpc.ServerOptions, h func(context.Context, echoRequest) (echoReply, error)) *running {
	t.Helper()
	s := rpc.NewServer(nc, o)
	if h == nil {
		h = func(_ context.Context, r echoRequest) (echoReply, error) {
			return echoReply{Text: r.Text, Replica: s.Replica()}, nil
		}
	}
	rpc.Handle(s, echoMethod(), h)
	rpc.Handle(s, askMethod(), h)
	return start(t, s)
}

// long ends what would hang. It is not reached on a slow machine, and no test
// waits for it.
const long = time.Minute

// within returns a context that ends after d.
func within(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// await polls until ok, for at most a minute.
// newGate holds whoever passes it until it is opened, or until the test ends:
// once a test has failed, nothing may wait for it.
func newGate(t testing.TB) (pass, open func()) {
	gate := make(chan struct{})
	pass = func() {
		select {
		case <-gate:
		case <-t.Context().Done():
		}
	}
	return pass, sync.OnceFunc(func() { close(gate) })
}

func await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(long)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

// wantCode fails unless err is a fault of that code, and returns it.
func wantCode(t testing.TB, err error, code fault.Code) *fault.Error {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Code != code {
		t.Fatalf("got %v, want a fault %s", err, code)
	}
	return f
}

// logged returns telemetry whose log can be read.
func logged() (*telemetry.Telemetry, *logBuffer) {
	buf := new(logBuffer)
	tel := telemetry.Discard(contract.Chat)
	tel.Log = slog.New(slog.NewJSONHandler(buf, &slog.HandlerOptions{Level: slog.LevelWarn}))
	return tel, buf
}

// logBuffer is a log that is written and read at the same time.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
