// Package system runs Parley for end-to-end tests: real processes that speak
// real protocols on loopback, two replicas of each service, three gateways,
// NATS and Redis each as a process of its own, or NATS as a cluster.
package system

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/standalone/embedded"
)

// Options say how a system differs from the usual one.
type Options struct {
	Replicas int      // of each service; 0 is 2
	Gateways int      // 0 is 3
	Cluster  bool     // NATS is three servers, System.Nodes, that keep three copies of IM_EVENTS
	Env      []string // settings of all processes, NAME=value
	// Programs take the place of standalone for a part, by its name; they
	// understand the same flags.
	Programs map[string]string
	// Via returns where to connect in place of addr, so that something can
	// stand in between. From is a process's name, or "clients"; to is "nats",
	// "redis", "mongo", or a gateway's name. Nil: straight to addr.
	Via func(from, to, addr string) string
	// Logs is a directory for what the processes write. Empty: a failed test
	// shows the last of it.
	Logs string
}

// System is a running Parley.
type System struct {
	NATS               *Process // nil when it is a cluster
	Nodes              []*Node  // of that cluster
	Redis              *Process
	Auth, Social, Chat []*Process
	Gateways           []*Process
	// URLs are the gateways' base URLs, in the order of Gateways.
	URLs []string
	// NATSAddr is where the NATS server listens, or the first of several.
	NATSAddr string
	// Stores are the URLs of the services' records.
	Stores map[contract.Service]string
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
	s := &System{Data: t.TempDir(), Mail: mail, NATSAddr: FreeAddr(t)}
	s.Stores = stores(t, s.Data)
	if o.Cluster {
		s.startNodes(t)
	}
	s.compose(t, o)
	s.run(t, o.Logs == "")
	return s
}

// compose says what processes there are, and how each is set.
func (s *System) compose(t testing.TB, o Options) {
	t.Helper()
	redisAddr := FreeAddr(t)
	part := func(name, only string, extra ...string) *Process {
		ops := FreeAddr(t)
		args := append([]string{
			"-only", only, "-data", s.Data, "-ops-addr", ops,
			"-nats-addr", o.via(name, "nats", s.NATSAddr), "-redis-addr", o.via(name, "redis", redisAddr),
		}, extra...)
		env := append([]string{"SMTP_URL=" + s.Mail.URL(), "LOG_LEVEL=info", raceOptions}, o.storeEnv(name, s.Stores)...)
		env = append(env, s.clusterEnv(t, only)...)
		env = append(env, o.Env...)
		return &Process{Name: name, Ops: "http://" + ops, LogFile: o.logFile(name), bin: o.program(t, only), args: args, env: env}
	}
	if !o.Cluster {
		s.NATS = part("nats", "nats")
	}
	s.Redis = part("redis", "redis")
	for i := range o.Replicas {
		s.Auth = append(s.Auth, part(fmt.Sprintf("auth-%d", i), "auth"))
		s.Social = append(s.Social, part(fmt.Sprintf("social-%d", i), "social"))
		s.Chat = append(s.Chat, part(fmt.Sprintf("chat-%d", i), "chat"))
	}
	for i := range o.Gateways {
		addr, name := FreeAddr(t), fmt.Sprintf("gateway-%d", i)
		s.Gateways = append(s.Gateways, part(name, "gateway", "-addr", addr))
		s.URLs = append(s.URLs, "http://"+o.via("clients", name, addr))
	}
}

// Services lists the processes of auth, social, chat and the gateways.
func (s *System) Services() []*Process {
	return slices.Concat(s.Auth, s.Social, s.Chat, s.Gateways)
}

// servers lists the processes that the services need.
func (s *System) servers() []*Process {
	if s.NATS == nil {
		return []*Process{s.Redis}
	}
	return []*Process{s.NATS, s.Redis}
}

// All lists every process.
func (s *System) All() []*Process { return slices.Concat(s.servers(), s.Services()) }

// run starts what others need first, and then everything at once; show has a
// failed test show what they wrote.
func (s *System) run(t testing.TB, show bool) {
	t.Helper()
	t.Cleanup(func() {
		all := s.All()
		for _, p := range slices.Backward(all) {
			p.end()
		}
		if t.Failed() && show {
			for _, p := range all {
				t.Logf("--- %s\n%s", p.Name, p.Log())
			}
		}
	})
	startAll(t, s.servers()...)
	startAll(t, s.Services()...)
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
