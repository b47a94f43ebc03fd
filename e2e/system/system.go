// Package system runs Parley for end-to-end tests: real processes that speak
// real protocols on loopback, two replicas of each service, three gateways,
// NATS and Redis each as a process of its own.
package system

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/mongodb/mongotest"
	"github.com/parley-im/parley/standalone/embedded"
)

// Options say how a system differs from the usual one.
type Options struct {
	Replicas int      // of each service; 0 is 2
	Gateways int      // 0 is 3
	Env      []string // settings of all processes, NAME=value
}

// System is a running Parley.
type System struct {
	NATS, Redis        *Process
	Auth, Social, Chat []*Process
	Gateways           []*Process
	// URLs are the gateways' base URLs, in the order of Gateways.
	URLs []string
	// NATSAddr is where the NATS server listens.
	NATSAddr string
	// Data is the data directory, with the passwords.
	Data string
	// Mail receives what auth sends.
	Mail *embedded.SMTP
}

// Start runs a system and stops it when the test ends.
func Start(t testing.TB, o Options) *System {
	t.Helper()
	if o.Replicas == 0 {
		o.Replicas = 2
	}
	if o.Gateways == 0 {
		o.Gateways = 3
	}
	mail, err := embedded.StartSMTP(t.Context(), embedded.SMTPConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = mail.Stop() })
	s := &System{Data: t.TempDir(), Mail: mail, NATSAddr: freeAddr(t)}
	redisAddr, stores := freeAddr(t), mongoStores(t)
	part := func(name, only string, extra ...string) *Process {
		ops := freeAddr(t)
		args := append([]string{
			"-only", only, "-data", s.Data, "-ops-addr", ops,
			"-nats-addr", s.NATSAddr, "-redis-addr", redisAddr,
		}, extra...)
		env := append([]string{"SMTP_URL=" + mail.URL(), "LOG_LEVEL=info", "GORACE=halt_on_error=1"}, stores...)
		env = append(env, o.Env...)
		return &Process{Name: name, Ops: "http://" + ops, bin: binary(t), args: args, env: env}
	}
	s.NATS, s.Redis = part("nats", "nats"), part("redis", "redis")
	for i := range o.Replicas {
		s.Auth = append(s.Auth, part(fmt.Sprintf("auth-%d", i), "auth"))
		s.Social = append(s.Social, part(fmt.Sprintf("social-%d", i), "social"))
		s.Chat = append(s.Chat, part(fmt.Sprintf("chat-%d", i), "chat"))
	}
	for i := range o.Gateways {
		addr := freeAddr(t)
		s.Gateways = append(s.Gateways, part(fmt.Sprintf("gateway-%d", i), "gateway", "-addr", addr))
		s.URLs = append(s.URLs, "http://"+addr)
	}
	s.run(t)
	return s
}

// mongoStores gives each service a fresh database on the server that
// MONGO_URI names; without one they keep to SQLite in the data directory.
func mongoStores(t testing.TB) []string {
	t.Helper()
	if os.Getenv("MONGO_URI") == "" {
		return nil
	}
	return []string{
		"AUTH_STORE=" + mongotest.URI(t), "SOCIAL_STORE=" + mongotest.URI(t), "CHAT_STORE=" + mongotest.URI(t),
	}
}

// All lists every process.
func (s *System) All() []*Process {
	all := []*Process{s.NATS, s.Redis}
	for _, group := range [][]*Process{s.Auth, s.Social, s.Chat, s.Gateways} {
		all = append(all, group...)
	}
	return all
}

// run starts what others need first, and then everything at once.
func (s *System) run(t testing.TB) {
	t.Helper()
	t.Cleanup(func() {
		all := s.All()
		for i := len(all) - 1; i >= 2; i-- {
			all[i].end()
		}
		s.Redis.end()
		s.NATS.end()
		if t.Failed() {
			for _, p := range all {
				t.Logf("--- %s\n%s", p.Name, p.Log())
			}
		}
	})
	startAll(t, s.NATS, s.Redis)
	startAll(t, s.All()[2:]...)
}

func startAll(t testing.TB, processes ...*Process) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startWait)
	defer cancel()
	var wg sync.WaitGroup
	errs := make([]error, len(processes))
	for i, p := range processes {
		wg.Go(func() { errs[i] = p.start(ctx) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// build makes the binary once for all tests of a run, with the race detector
// when the tests have it.
var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "parley-e2e-")
	if err != nil {
		return "", err
	}
	args := []string{"build", "-o", filepath.Join(dir, "parley")}
	if raceEnabled {
		args = append(args, "-race")
	}
	out, err := exec.Command("go", append(args, "github.com/parley-im/parley/standalone")...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return filepath.Join(dir, "parley"), nil
})

func binary(t testing.TB) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Cleanup removes the binary; for TestMain.
func Cleanup() {
	if path, err := build(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
}

// given are the ports that freeAddr has given out: a port that was closed is
// soon given out again by the kernel.
var given = struct {
	sync.Mutex
	ports map[string]bool
}{ports: map[string]bool{}}

// freeAddr is a loopback address that was free a moment ago, and is given to
// nobody else here.
func freeAddr(t testing.TB) string {
	t.Helper()
	given.Lock()
	defer given.Unlock()
	for {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		addr := l.Addr().String()
		_ = l.Close()
		if !given.ports[addr] {
			given.ports[addr] = true
			return addr
		}
	}
}

// Code waits for the verification code mailed to the address.
func (s *System) Code(t testing.TB, email string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	m, err := s.Mail.Wait(ctx, email)
	if err != nil {
		t.Fatalf("no code for %s: %v", email, err)
	}
	for _, word := range strings.Fields(m.Text) {
		word = strings.Trim(word, ".,:")
		if len(word) == 6 && strings.Trim(word, "0123456789") == "" {
			return word
		}
	}
	t.Fatalf("no code in:\n%s", m.Text)
	return ""
}
