package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/parley-im/parley/pkg/bus"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/rpc"
	"github.com/parley-im/parley/pkg/telemetry"
)

// ran is what a command line came to.
type ran struct {
	status          int
	out, complaints string
}

func ctl(t *testing.T, in string, args ...string) ran {
	t.Helper()
	var out, complaints bytes.Buffer
	status := execute(t.Context(), args, strings.NewReader(in), &out, &complaints)
	return ran{status, out.String(), complaints.String()}
}

func startNATS(t *testing.T, users ...*server.User) string {
	t.Helper()
	srv, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, NoSigs: true, NoLog: true, Users: users})
	if err != nil {
		t.Fatal(err)
	}
	srv.Start()
	t.Cleanup(func() { srv.Shutdown(); srv.WaitForShutdown() })
	if !srv.ReadyForConnections(10 * time.Second) {
		t.Fatal("the NATS server does not start")
	}
	return srv.ClientURL()
}

// answer serves what a service answers in a test, until it ends.
func answer(t *testing.T, url string, service contract.Service, methods func(*rpc.Server)) {
	t.Helper()
	tel := telemetry.Discard(service)
	nc, err := bus.Connect(t.Context(), bus.Config{URL: url}, service, tel)
	if err != nil {
		t.Fatal(err)
	}
	s := rpc.NewServer(nc, rpc.ServerOptions{Service: service, Telemetry: tel})
	methods(s)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }() // ended and joined by the cleanup
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		nc.Close()
	})
	for s.Ready(t.Context()) != nil {
		select {
		case <-t.Context().Done():
			t.Fatal("it does not serve")
		case <-time.After(time.Millisecond):
		}
	}
}

func TestCommandLine(t *testing.T) {
	t.Setenv("NATS_URL", "nats://127.0.0.1:1") // nobody listens there
	for _, c := range []struct {
		line   string
		status int
		says   string
	}{
		{"nonsense", statusUsage, `unknown command "nonsense"`},
		{"users", statusUsage, "say what to do"},
		{"users nonsense", statusUsage, `unknown command "nonsense"`},
		{"users show", statusUsage, "accepts 1 arg"},
		{"users show --nonsense", statusUsage, "unknown flag"},
		{"user list", statusUsage, "did you mean users? parleyctl --help lists all"},
		{"users shwo u", statusUsage, "did you mean show? parleyctl users --help lists all"},
		{"users disable u --reson x", statusUsage, "did you mean --reason? parleyctl users disable --help lists all flags"},
		{"erase", statusUsage, "received 0: parleyctl erase USER"},
		{"doctor --timeout 5", statusUsage, "write 5s for seconds"},
		{"doctor --ops 9090", statusUsage, `--ops: "9090" is not an address: write host:port, such as 127.0.0.1:9090`},
		{"keys list --by me --nats 4222", statusUsage, `--nats: "4222" is a port only: write nats://127.0.0.1:4222`},
		{"keys list --by me --nats http://me:hunter2@127.0.0.1:4222", statusUsage, "--nats: a server begins with http://: write nats://host:4222"},
		{"users disable u", statusUsage, "say why: --reason"},
		{"rooms disband r --yes", statusUsage, "say why: --reason"},
		{"messages remove r 1 --yes", statusUsage, "say why: --reason"},
		{"messages remove r", statusUsage, "accepts 2 arg"},
		{"export u", statusUsage, "say why: --reason"},
		{"erase u --yes", statusUsage, "say why: --reason"},
		{"keys list --timeout 0s", statusUsage, "--timeout must be positive"},
		{"users show u --by=", statusUsage, "say who you are: --by"},
		{"users show u --by me --data nowhere", statusUsage, "read the data directory"},
		{"keys list --by me", statusUnavailable, "connect to NATS at nats://127.0.0.1:1"},
		{"doctor", statusFailed, ""},
	} {
		t.Run(c.line, func(t *testing.T) {
			got := ctl(t, "", strings.Fields(c.line)...)
			if got.status != c.status || !strings.Contains(got.complaints, c.says) {
				t.Errorf("status %d, want %d: %s", got.status, c.status, got.complaints)
			}
			if c.status == statusUsage && got.out != "" {
				t.Errorf("it printed %s", got.out)
			}
		})
	}
	t.Run("as JSON", func(t *testing.T) {
		got := ctl(t, "", "users", "disable", "u", "--json")
		want := `{"command":"parleyctl users disable","error":{"code":"invalid_argument","detail":"say why: --reason"}}` + "\n"
		if got.complaints != want {
			t.Errorf("got %s", got.complaints)
		}
	})
	t.Run("completion", func(t *testing.T) {
		if got := ctl(t, "", "__complete", "users", ""); got.status != statusOK || !strings.Contains(got.out, "end-sessions\t") {
			t.Errorf("status %d: %s", got.status, got.out)
		}
		for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
			if got := ctl(t, "", "completion", shell); got.status != statusOK || !strings.Contains(got.out, "parleyctl") {
				t.Errorf("for %s: status %d", shell, got.status)
			}
		}
	})
}

// Where it connects: the data directory that is named, the environment, ./data.
func TestNATSConfig(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	write := func(path, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	config := func(s settings) bus.Config {
		t.Helper()
		cfg, err := s.natsConfig()
		if err != nil {
			t.Fatal(err)
		}
		return cfg
	}
	if cfg := config(settings{}); cfg.URL != "nats://127.0.0.1:4222" || cfg.User != "" {
		t.Errorf("of nothing: %+v", cfg)
	}
	write("data/secrets.json", `{"nats":{"admin":"pw","operator":"no"}}`)
	write("data/addresses.json", `{"nats":"nats://127.0.0.1:1234","ops":"http://127.0.0.1:9"}`)
	write("other/secrets.json", `{"nats":{"admin":"other"}}`)
	write("old/secrets.json", `{"nats":{"operator":"no"}}`)
	write("damaged/secrets.json", `{"nats":{"admin":"secret`)
	if cfg := config(settings{}); cfg.URL != "nats://127.0.0.1:1234" || cfg.User != "admin" || cfg.Password != "pw" {
		t.Errorf("of ./data: %+v", cfg)
	}
	if s := (&settings{}); !slices.Equal(s.knownOps(), []string{"http://127.0.0.1:9"}) {
		t.Errorf("operations ports: %v", s.knownOps())
	}
	if cfg := config(settings{data: "other", nats: "nats://h:1"}); cfg.URL != "nats://h:1" || cfg.Password != "other" {
		t.Errorf("of flags: %+v", cfg)
	}
	for dir, says := range map[string]string{"old": "no password for the admin", "damaged": "damaged", "none": "no such file"} {
		if _, err := (&settings{data: dir}).natsConfig(); err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "secret\"") {
			t.Errorf("of %s: %v", dir, err)
		}
	}
	t.Setenv("NATS_URL", "nats://all:1")
	t.Setenv("NATS_USER", "admin")
	t.Setenv("NATS_PASSWORD", "env")
	if cfg := config(settings{}); cfg.URL != "nats://all:1" || cfg.Password != "env" {
		t.Errorf("of the environment: %+v", cfg)
	}
	t.Setenv("PARLEY_NATS_URL", "nats://own:1")
	if cfg := config(settings{}); cfg.URL != "nats://own:1" {
		t.Errorf("of its own variable: %+v", cfg)
	}
}

func TestStatus_of_faults(t *testing.T) {
	for code, want := range map[fault.Code]int{
		fault.InvalidArgument: statusUsage, fault.NotFound: statusNotFound, fault.FailedPrecondition: statusRefused,
		fault.PermissionDenied: statusRefused, fault.Unavailable: statusUnavailable, fault.DeadlineExceeded: statusUnavailable, fault.Internal: statusFailed,
	} {
		if got := status(fmt.Errorf("asked: %w", fault.New(code, "no"))); got != want {
			t.Errorf("%s: %d, want %d", code, got, want)
		}
	}
}

// house is what the services answer to an erasure and an export, and what they
// were asked, in order.
type house struct {
	mu    sync.Mutex
	asked []string
	calls map[string]int
}

func (h *house) acts() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.asked)
}

func (h *house) note(what string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked = append(h.asked, what)
	h.calls[what]++
	return h.calls[what]
}

func startHouse(t *testing.T) (url string, h *house) {
	t.Helper()
	url, h = startNATS(t), &house{calls: map[string]int{}}
	erase := func(service string, calls int) func(context.Context, contract.AdminUserRequest) (contract.EraseReply, error) {
		return func(_ context.Context, req contract.AdminUserRequest) (contract.EraseReply, error) {
			if req.UserID != "0user" || req.Act.By != "me" || req.Act.Reason != "asked" || req.Act.AskedAt.IsZero() {
				t.Errorf("%s was asked %+v", service, req)
			}
			return contract.EraseReply{Erased: 10, Done: h.note("erase "+service) >= calls}, nil
		}
	}
	export := func(service string, pages int) func(context.Context, contract.ExportRequest) (contract.ExportPage, error) {
		return func(_ context.Context, req contract.ExportRequest) (contract.ExportPage, error) {
			n := h.note("export " + service)
			if want := fmt.Sprintf("after %d", n-1); n > 1 && req.Cursor != want {
				t.Errorf("page %d of %s was asked for %q", n, service, req.Cursor)
			}
			page := contract.ExportPage{Items: []contract.ExportItem{{Kind: "thing", Data: json.RawMessage(fmt.Sprintf(`{"n":%d,"text":"<&>"}`, n))}}}
			if n < pages {
				page.NextCursor = fmt.Sprintf("after %d", n)
			}
			return page, nil
		}
	}
	answer(t, url, contract.Auth, func(s *rpc.Server) {
		rpc.Handle(s, contract.DisableUser, func(_ context.Context, req contract.AdminUserRequest) (contract.AdminUser, error) {
			h.note("disable " + req.UserID)
			return contract.AdminUser{}, nil
		})
		rpc.Handle(s, contract.ShowUser, func(_ context.Context, req contract.ShowUserRequest) (contract.AdminUser, error) {
			if req.User != "ann" {
				return contract.AdminUser{}, fault.New(fault.NotFound, "there is no such user")
			}
			return contract.AdminUser{User: contract.User{ID: "0user", Account: "ann", Nickname: "a\x1b[31mnn\u202e"}}, nil
		})
		rpc.Handle(s, contract.ExportUser, export("auth", 1))
		rpc.Handle(s, contract.EraseUser, erase("auth", 1))
	})
	answer(t, url, contract.Social, func(s *rpc.Server) {
		rpc.Handle(s, contract.ExportSocial, export("social", 2))
		rpc.Handle(s, contract.EraseSocial, erase("social", 1))
	})
	answer(t, url, contract.Chat, func(s *rpc.Server) {
		rpc.Handle(s, contract.ExportChat, export("chat", 3))
		rpc.Handle(s, contract.EraseChat, erase("chat", 3))
	})
	return url, h
}

func TestErase(t *testing.T) {
	url, h := startHouse(t)
	line := []string{"erase", "ann", "--nats", url, "--by", "me", "--reason", "asked"}
	for _, in := range []string{"", "no\n", "y\n"} {
		if got := ctl(t, in, line...); got.status != statusUsage || !strings.Contains(got.complaints, "not confirmed") {
			t.Errorf("after %q: %+v", in, got)
		}
	}
	if done := h.acts(); len(done) > 0 {
		t.Fatalf("unconfirmed, it did %v", done)
	}
	got := ctl(t, "yes\n", line...)
	if got.status != statusOK || got.out != "user 0user is erased: 40 records of chat, 10 of social, 10 of auth\n" {
		t.Errorf("got %+v", got)
	}
	if want := []string{"disable 0user", "erase chat", "erase chat", "erase chat", "erase social", "erase chat", "erase auth"}; !slices.Equal(h.acts(), want) {
		t.Errorf("asked %v, want %v", h.acts(), want)
	}
}

func TestExport(t *testing.T) {
	url, _ := startHouse(t)
	path := filepath.Join(t.TempDir(), "ann.jsonl")
	line := []string{"export", "ann", "--nats", url, "--by", "me", "--reason", "asked", "--out", path}
	if got := ctl(t, "", line...); got.status != statusOK || !strings.HasPrefix(got.out, "6 records about user 0user") {
		t.Fatalf("got %+v", got)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) != 7 || lines[3] != `{"service":"chat","kind":"thing","data":{"n":1,"text":"<&>"}}` || !strings.Contains(lines[6], `"kind":"end","data":{"user_id":"0user"`) {
		t.Errorf("it has\n%s", text)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if got := ctl(t, "", line...); got.status != statusUsage || !strings.Contains(got.complaints, "is there already") {
		t.Errorf("once more: %+v", got)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("it left %v, %v", left, err)
	}
}

func TestUsersShow(t *testing.T) {
	url, _ := startHouse(t)
	got := ctl(t, "", "users", "show", "ann", "--nats", url, "--by", "me")
	if got.status != statusOK || !strings.Contains(got.out, "account  ann\n") {
		t.Errorf("got %+v", got)
	}
	if strings.ContainsAny(got.out, "\x1b\u202e") {
		t.Errorf("a nickname commands the terminal: %q", got.out)
	}
	if got := ctl(t, "", "users", "show", "bob", "--nats", url, "--by", "me"); got.status != statusNotFound || got.complaints != "parleyctl users show: there is no such user\n" {
		t.Errorf("of nobody: %+v", got)
	}
}

func TestConnect_says_what_is_missing(t *testing.T) {
	t.Chdir(t.TempDir()) // without ./data
	t.Setenv("NATS_URL", "")
	got := ctl(t, "", "keys", "list", "--by", "me", "--nats", "nats://127.0.0.1:1")
	if got.status != statusUnavailable || strings.Contains(got.complaints, "nothing says") {
		t.Errorf("with --nats: status %d: %s", got.status, got.complaints)
	}
	t.Setenv("PARLEY_NATS_USR", "admin")
	t.Setenv("PARLEY_GATEWAYS", "http://127.0.0.1:1") // the echo bot's
	got = ctl(t, "", "keys", "list", "--by", "me")
	if got.status != statusUsage || !strings.Contains(got.complaints, "there is no setting PARLEY_NATS_USR; did you mean PARLEY_NATS_USER?") {
		t.Errorf("status %d: %s", got.status, got.complaints)
	}
}

func TestSettings_found(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("NATS_URL", "")
	if (&settings{}).found() {
		t.Error("found without anything that names an installation")
	}
	for name, s := range map[string]*settings{"--nats": {nats: "nats://n:4222"}, "--data": {data: "d"}} {
		if !s.found() {
			t.Errorf("%s does not count", name)
		}
	}
	t.Setenv("NATS_URL", "nats://n:4222")
	if !(&settings{}).found() {
		t.Error("NATS_URL does not count")
	}
}
