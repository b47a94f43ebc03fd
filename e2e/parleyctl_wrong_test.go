package e2e

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/run"
	"github.com/parley-im/parley/pkg/telemetry"
	"github.com/parley-im/parley/services/chat"
	"github.com/parley-im/parley/services/social"
)

// TestParleyctl_doctor_names looks at services of this process, so that their
// clocks can differ and their NATS be set wrongly: one replica of social is
// right, one is a minute and a half ahead; chat may not push messages; auth
// does not run.
func TestParleyctl_doctor_names(t *testing.T) {
	data := t.TempDir()
	url := startWrongNATS(t, data)
	t.Setenv("NATS_URL", url)
	runSocial(t, data, time.Now)
	runSocial(t, data, func() time.Time { return time.Now().Add(90 * time.Second) })
	runChat(t, data)

	report, status := parleyctl(t, data, "--nats", url, "doctor")
	if status != 1 {
		t.Errorf("status %d", status)
	}
	var wrong []string
	for l := range strings.Lines(report) {
		if fields := strings.Fields(settled(l)); slices.Contains(fields, "WRONG") {
			wrong = append(wrong, strings.Join(fields, " "))
		}
	}
	want := []string{
		"auth replicas WRONG none answers",
		"chat ID permissions WRONG NATS refuses: publish im.room.*.message",
		"social ID clock WRONG 1m30s ahead of the clock here",
	}
	slices.Sort(wrong)
	for i, l := range wrong { // the round trip may hide a part
		wrong[i] = regexp.MustCompile(`1m2[5-9][.0-9]*s`).ReplaceAllString(l, "1m30s")
	}
	if !slices.Equal(wrong, want) {
		t.Errorf("wrong are %q, want %q\n%s", wrong, want, report)
	}
	if l := line(t, report, "social", "replicas"); l != "social replicas ok 2, of one version" {
		t.Errorf("replicas: %s", l)
	}
}

// startWrongNATS starts a server whose user chat lacks a permission, and puts
// the users' passwords where a standalone has them.
func startWrongNATS(t *testing.T, data string) (url string) {
	t.Helper()
	passwords := map[string]string{}
	var users []*server.User
	for _, u := range contract.NATSUsers() {
		passwords[u.Name] = "of " + u.Name
		if u.Name == string(contract.Chat) {
			u.Permission.PublishAllow = slices.DeleteFunc(u.Permission.PublishAllow, func(s string) bool { return s == "im.room.*.message" })
		}
		publish, subscribe := u.Permission.Rules()
		users = append(users, &server.User{Username: u.Name, Password: passwords[u.Name], Permissions: &server.Permissions{
			Publish:   &server.SubjectPermission{Allow: publish.Allow, Deny: publish.Deny},
			Subscribe: &server.SubjectPermission{Allow: subscribe.Allow, Deny: subscribe.Deny},
		}})
	}
	secrets, err := json.Marshal(map[string]any{"nats": passwords})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(data, "secrets.json"), secrets, 0o600); err != nil {
		t.Fatal(err)
	}
	srv, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: -1, NoSigs: true, NoLog: true, JetStream: true, StoreDir: t.TempDir(), Users: users,
	})
	if err != nil {
		t.Fatal(err)
	}
	srv.Start()
	t.Cleanup(func() { srv.Shutdown(); srv.WaitForShutdown() })
	if !srv.ReadyForConnections(patience) {
		t.Fatal("the NATS server does not start")
	}
	return srv.ClientURL()
}

func runSocial(t *testing.T, data string, now func() time.Time) {
	t.Helper()
	var cfg social.Config
	if err := run.Config("SOCIAL", &cfg); err != nil {
		t.Fatal(err)
	}
	cfg.Store = "sqlite:" + filepath.Join(data, "social.db")
	cfg.NATS.User, cfg.NATS.Password = "social", "of social"
	tel := telemetry.Discard(contract.Social)
	serve(t, tel, func(ctx context.Context) error { return social.Run(ctx, cfg, social.Deps{Telemetry: tel, Now: now}) })
}

func runChat(t *testing.T, data string) {
	t.Helper()
	var cfg chat.Config
	if err := run.Config("CHAT", &cfg); err != nil {
		t.Fatal(err)
	}
	cfg.Store = "sqlite:" + filepath.Join(data, "chat.db")
	cfg.NATS.User, cfg.NATS.Password = "chat", "of chat"
	tel := telemetry.Discard(contract.Chat)
	serve(t, tel, func(ctx context.Context) error { return chat.Run(ctx, cfg, chat.Deps{Telemetry: tel}) })
}

// serve runs a service until the test ends, and returns once it is ready.
func serve(t *testing.T, tel *telemetry.Telemetry, service func(context.Context) error) {
	t.Helper()
	tel.Health.Starting()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- service(ctx) }() // ended and joined by the cleanup
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	for deadline := time.Now().Add(patience); ; {
		err := tel.Health.Ready(t.Context())
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not ready: %v", err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
