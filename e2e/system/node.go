package system

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/standalone/embedded"
)

// clusterSize is how many servers a NATS cluster has: one may be away, and
// the other two are still a majority.
const clusterSize = 3

// Node is one server of a NATS cluster. It runs in the test's own process.
type Node struct {
	Name string

	cfg embedded.NATSConfig
	srv *embedded.NATS // nil while it is stopped
	log tail
}

// startNodes runs the cluster and stops it when the test ends, after
// everything that is started later.
func (s *System) startNodes(t testing.TB) {
	t.Helper()
	secrets := s.secrets(t)
	var routes []string
	for range clusterSize {
		routes = append(routes, FreeAddr(t))
	}
	for i, route := range routes {
		n := &Node{Name: fmt.Sprintf("nats-%d", i)}
		n.cfg = embedded.NATSConfig{
			Addr: s.NATSAddr, Dir: filepath.Join(s.Data, n.Name), Secrets: secrets,
			Log:     slog.New(slog.NewTextHandler(&n.log, nil)),
			Cluster: &embedded.NATSCluster{Name: "parley", Node: n.Name, Addr: route, Routes: routes},
		}
		if i > 0 {
			n.cfg.Addr = FreeAddr(t)
		}
		s.Nodes = append(s.Nodes, n)
		n.Start(t)
		t.Cleanup(func() { n.end(t) })
	}
}

// clusterEnv tells a process of the cluster and who it is there.
func (s *System) clusterEnv(t testing.TB, user string) []string {
	t.Helper()
	if len(s.Nodes) == 0 {
		return nil
	}
	var urls []string
	for _, n := range s.Nodes {
		urls = append(urls, "nats://"+n.cfg.Addr)
	}
	return []string{
		"NATS_URL=" + strings.Join(urls, ","), fmt.Sprintf("NATS_STREAM_REPLICAS=%d", clusterSize),
		"NATS_USER=" + user, "NATS_PASSWORD=" + s.secrets(t).NATS[user],
	}
}

func (s *System) secrets(t testing.TB) embedded.Secrets {
	t.Helper()
	secrets, err := embedded.LoadSecrets(t.Context(), s.Data)
	if err != nil {
		t.Fatal(err)
	}
	return secrets
}

// Stop ends the server and its connections at once, as SIGTERM does.
func (n *Node) Stop(t testing.TB) {
	t.Helper()
	srv := n.srv
	n.srv = nil
	if err := srv.Stop(); err != nil {
		t.Fatalf("stop %s: %v", n.Name, err)
	}
}

// Start starts the server again after Stop, at its addresses and on its files.
func (n *Node) Start(t testing.TB) {
	t.Helper()
	srv, err := embedded.StartNATS(n.cfg)
	if err != nil {
		t.Fatalf("start %s: %v", n.Name, err)
	}
	n.srv = srv
}

// AwaitCurrent waits until the server has caught up with IM_EVENTS.
func (n *Node) AwaitCurrent(t testing.TB) {
	t.Helper()
	for deadline := time.Now().Add(startWait); !n.srv.Current(contract.StreamName); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s is not current after %v", n.Name, startWait)
		}
	}
}

// Roll replaces the server as a rolling restart does: the next one may go once
// this one has caught up.
func (n *Node) Roll(t testing.TB) {
	t.Helper()
	n.Stop(t)
	n.Start(t)
	n.AwaitCurrent(t)
}

// end stops the server if it runs; part of a test's cleanup.
func (n *Node) end(t testing.TB) {
	if t.Failed() {
		t.Logf("--- %s\n%s", n.Name, n.log.String())
	}
	if n.srv != nil {
		_ = n.srv.Stop()
	}
}
