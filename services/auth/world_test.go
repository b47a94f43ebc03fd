package auth_test

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/parley-im/parley/pkg/bus"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/rpc"
	"github.com/parley-im/parley/pkg/telemetry"
	"github.com/parley-im/parley/services/auth"
)

const password = "correct horse battery"

// world is a real NATS, a Redis and a store, in which replicas of auth run.
type world struct {
	t     *testing.T
	nats  *server.Server
	redis *miniredis.Miniredis
	cfg   auth.Config
	clock *clock
	log   *buffer
	nc    *nats.Conn
	calls *rpc.Client

	// Of the replica launched last.
	health  *telemetry.Health
	metrics *telemetry.Metrics
}

// newWorld starts everything but auth itself.
func newWorld(t *testing.T, edit ...func(*auth.Config)) *world {
	t.Helper()
	srv, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, NoSigs: true, NoLog: true, JetStream: true, StoreDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	srv.Start()
	t.Cleanup(func() { srv.Shutdown(); srv.WaitForShutdown() })
	if !srv.ReadyForConnections(10 * time.Second) {
		t.Fatal("nats-server does not start")
	}
	nc, err := nats.Connect(srv.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	w := &world{
		t: t, nats: srv, redis: miniredis.RunT(t), clock: &clock{}, log: &buffer{}, nc: nc,
		calls: rpc.NewClient(nc, rpc.ClientOptions{Timeout: 30 * time.Second}),
	}
	w.cfg = auth.Config{
		Store: "sqlite:" + filepath.Join(t.TempDir(), "auth.db"), RedisURL: "redis://" + w.redis.Addr(),
		KeySecret: strings.Repeat("k", 32), AccessTTL: 15 * time.Minute, KeyReload: time.Minute, SessionTTL: 720 * time.Hour, MaxSessions: 50, SweepEvery: time.Hour,
		ArgonMemory: 19456, ArgonTime: 2, ArgonThreads: 1, HashWait: 30 * time.Second,
		CodesPerMinute: 1, CodesPerHour: 5, AddressCodesPerHour: 20, LoginFailures: 10, AccountFailures: 30, AddressFailures: 100,
		MailFrom: "Parley <parley@localhost>", MailQueue: 10, CodeLog: true, Workers: 64, RPCQueue: 256,
		NATS: bus.Config{URL: srv.ClientURL()},
	}
	for _, f := range edit {
		f(&w.cfg)
	}
	return w
}

// start runs a replica until the test ends, or stop is called, and waits
// until it is ready.
func (w *world) start(edit ...func(*auth.Config)) (stop func()) {
	w.t.Helper()
	stop, ready := w.launch(edit...)
	ready()
	return stop
}

// launch is start for several at once: ready waits.
func (w *world) launch(edit ...func(*auth.Config)) (stop, ready func()) {
	w.t.Helper()
	cfg := w.cfg
	for _, f := range edit {
		f(&cfg)
	}
	tel := telemetry.Discard(contract.Auth)
	w.health, w.metrics = tel.Health, tel.Metrics
	tel.Log = slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- auth.Run(ctx, cfg, auth.Deps{Telemetry: tel, Now: w.clock.Now}) }() // ends with ctx, which stop waits for
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Errorf("auth ended: %v", err)
		}
	})
	w.t.Cleanup(stop)
	return stop, func() {
		w.t.Helper()
		eventually(w.t, func() bool {
			select {
			case err := <-done:
				done <- nil
				w.t.Fatalf("auth did not start: %v", err)
			default:
			}
			states := tel.Health.States(w.t.Context())
			return slices.ContainsFunc(states, func(s telemetry.CheckState) bool { return s.Name == "rpc" }) && tel.Health.Ready(w.t.Context()) == nil
		})
	}
}

// call asks auth, as a gateway would.
func call[Req, Rep any](w *world, m contract.Method[Req, Rep], req Req) (Rep, error) {
	return rpc.Call(w.t.Context(), w.calls, m, req)
}

// must is call for what may not fail.
func must[Req, Rep any](w *world, m contract.Method[Req, Rep], req Req) Rep {
	w.t.Helper()
	reply, err := call(w, m, req)
	if err != nil {
		w.t.Fatalf("%s: %v", m.Name, err)
	}
	return reply
}

// fails is call for what must be refused, with what, and about which field.
func fails[Req, Rep any](w *world, m contract.Method[Req, Rep], req Req, code fault.Code, field string) *fault.Error {
	w.t.Helper()
	_, err := call(w, m, req)
	f := fault.From(err)
	if f == nil || f.Code != code {
		w.t.Fatalf("%s: got %v, want %s", m.Name, err, code)
	}
	if field != "" && !slices.ContainsFunc(f.Fields, func(x fault.Field) bool { return x.Field == field }) {
		w.t.Fatalf("%s: got fields %v, want %s", m.Name, f.Fields, field)
	}
	return f
}

var codeInLog = regexp.MustCompile(`"msg":"verification code","code":"(\d{6})","purpose":"(\w+)"`)

// code asks for a code and takes it from the log.
func (w *world) code(email string, purpose contract.Purpose) string {
	w.t.Helper()
	before := len(codeInLog.FindAllString(w.log.String(), -1))
	must(w, contract.SendCode, contract.SendCodeRequest{Email: email, Purpose: purpose})
	var code string
	eventually(w.t, func() bool {
		found := codeInLog.FindAllStringSubmatch(w.log.String(), -1)
		if len(found) == before {
			return false
		}
		last := found[len(found)-1]
		code = last[1]
		return last[2] == string(purpose)
	})
	return code
}

// register makes account, with an e-mail of the same name.
func (w *world) register(account string) contract.Grant {
	w.t.Helper()
	email := account + "@example.org"
	return must(w, contract.Register, contract.RegisterRequest{
		Email: email, Code: w.code(email, contract.PurposeRegister), Account: account, Password: password, DeviceName: "first",
	})
}

func (w *world) login(account, password string) contract.Grant {
	w.t.Helper()
	return must(w, contract.Login, contract.LoginRequest{Account: account, Password: password})
}

// caller is who the grant is for, as a gateway takes it from the access token.
func caller(g contract.Grant) contract.Caller {
	sessionID, _, _ := strings.Cut(g.RefreshToken, ".")
	return contract.Caller{UserID: g.User.ID, SessionID: sessionID}
}

// store opens what the replicas share.
func (w *world) store() auth.Store {
	w.t.Helper()
	return openStore(w.t, w.cfg.Store)
}

// clock is the real one, put forward.
type clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

// pass lets time pass for auth and for Redis.
func (w *world) pass(d time.Duration) {
	w.clock.forward(d)
	w.redis.FastForward(d)
}

// buffer is a log that is read while it is written.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// eventually waits until the condition holds.
func eventually(t *testing.T, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); {
		if time.Now().After(deadline) {
			t.Fatal("it did not come true in 20 s")
		}
		time.Sleep(5 * time.Millisecond)
	}
}
