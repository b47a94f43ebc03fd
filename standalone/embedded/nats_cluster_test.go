package embedded

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-im/parley/pkg/bus"
	"github.com/parley-im/parley/pkg/contract"
)

// A node of three, the stream's leader, is stopped and started again, while
// events are published: each is acknowledged, and all nodes end with all.
func TestNATSCluster_Restart(t *testing.T) {
	configs := clusterConfigs(t, 3)
	nodes := map[string]*NATS{}
	var urls []string
	for _, cfg := range configs {
		nodes[cfg.Cluster.Node] = startNATS(t, cfg)
		urls = append(urls, nodes[cfg.Cluster.Node].URL())
	}
	secrets := configs[0].Secrets
	nc := connectCluster(t, urls, secrets, contract.Auth)
	if err := bus.EnsureStream(within(t, time.Minute), nc, bus.StreamConfig{Replicas: 3}); err != nil {
		t.Fatal(err)
	}
	awaitNATS(t, "all nodes to have the stream", func() bool {
		for _, n := range nodes {
			if !n.Current(contract.StreamName) {
				return false
			}
		}
		return true
	})

	p := publishEvents(t, nc)
	p.awaitMore(t, 50)
	leader := streamLeader(t, urls, secrets)
	t.Logf("stopping %s", leader)
	if err := nodes[leader].Stop(); err != nil {
		t.Fatal(err)
	}
	p.awaitMore(t, 50)
	for _, cfg := range configs {
		if cfg.Cluster.Node == leader {
			nodes[leader] = startNATS(t, cfg)
		}
	}
	awaitNATS(t, "the node to be back", func() bool { return nodes[leader].Current(contract.StreamName) })
	p.awaitMore(t, 50)
	published := p.stop()

	for name, n := range nodes {
		awaitNATS(t, name+" to have all events, each once", func() bool { return streamMessages(t, n) >= published })
		if got := streamMessages(t, n); got != published {
			t.Errorf("%s has %d events, %d were published", name, got, published)
		}
	}
}

func TestNATSCluster_Options(t *testing.T) {
	good := clusterConfigs(t, 3)[0]
	for name, spoil := range map[string]func(*NATSConfig){
		"no cluster name": func(c *NATSConfig) { c.Cluster.Name = "" },
		"no node name":    func(c *NATSConfig) { c.Cluster.Node = "" },
		"no password":     func(c *NATSConfig) { c.Secrets.Cluster = "" },
		"bad address":     func(c *NATSConfig) { c.Cluster.Addr = "127.0.0.1" },
		"bad route":       func(c *NATSConfig) { c.Cluster.Routes = []string{"nats"} },
	} {
		cfg, cluster := good, *good.Cluster
		cfg.Cluster = &cluster
		spoil(&cfg)
		if _, err := StartNATS(cfg); err == nil || !strings.Contains(err.Error(), "cluster") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Who does not know the cluster's password does not become a node.
func TestNATSCluster_Password(t *testing.T) {
	cfg := clusterConfigs(t, 2)[0]
	n := startNATS(t, cfg)
	for name, user := range map[string]string{
		"none":       `{}`,
		"a client's": fmt.Sprintf(`{"user":"operator","pass":%q}`, cfg.Secrets.NATS[contract.OperatorUser]),
		"wrong":      fmt.Sprintf(`{"user":%q,"pass":"wrong"}`, routeUser),
	} {
		conn, err := net.Dial("tcp", n.server.ClusterAddr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		if _, err := fmt.Fprintf(conn, "CONNECT %s\r\nPING\r\n", user); err != nil {
			t.Fatal(err)
		}
		if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		refused := false
		for lines := bufio.NewScanner(conn); lines.Scan() && !refused; {
			refused = strings.HasPrefix(lines.Text(), "-ERR 'Authorization Violation'")
		}
		if !refused {
			t.Errorf("password %s is not refused", name)
		}
	}
}

// clusterConfigs are the nodes of a cluster on free ports.
func clusterConfigs(t *testing.T, n int) []NATSConfig {
	t.Helper()
	configs := make([]NATSConfig, n)
	shared := natsConfig(t)
	var routes []string
	for range n {
		routes = append(routes, freeAddr(t))
	}
	for i := range configs {
		configs[i] = shared
		configs[i].Addr = freeAddr(t)
		configs[i].Dir = filepath.Join(shared.Dir, fmt.Sprint(i))
		configs[i].Cluster = &NATSCluster{Name: "parley", Node: fmt.Sprintf("nats-%d", i), Addr: routes[i], Routes: routes}
	}
	return configs
}

// freeAddr returns an address that was free a moment ago. Its port is below
// those that kernels give to outgoing connections, which would take it before
// the server does.
func freeAddr(t *testing.T) string {
	t.Helper()
	const first, last = 10_000, 15_000
	for range last - first {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", first+rand.IntN(last-first)))
		if err == nil {
			defer l.Close()
			return l.Addr().String()
		}
	}
	t.Fatal("no port is free")
	return ""
}

// connectCluster connects to any of the nodes, for good.
func connectCluster(t *testing.T, urls []string, secrets Secrets, service contract.Service) *nats.Conn {
	t.Helper()
	nc, err := nats.Connect(strings.Join(urls, ","), nats.MaxReconnects(-1), nats.ReconnectWait(10*time.Millisecond),
		nats.UserInfo(string(service), secrets.NATS[string(service)]), nats.CustomInboxPrefix(service.InboxPrefix()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

func awaitNATS(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// streamLeader asks who leads IM_EVENTS.
func streamLeader(t *testing.T, urls []string, secrets Secrets) string {
	t.Helper()
	nc, err := nats.Connect(strings.Join(urls, ","), nats.UserInfo(contract.OperatorUser, secrets.NATS[contract.OperatorUser]))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	stream, err := jetStream(t, nc).Stream(within(t, 10*time.Second), contract.StreamName)
	if err != nil {
		t.Fatal(err)
	}
	return stream.CachedInfo().Cluster.Leader
}

// streamMessages is how many events this very node has.
func streamMessages(t *testing.T, n *NATS) uint64 {
	t.Helper()
	state, err := n.server.Jsz(nil)
	if err != nil {
		t.Fatal(err)
	}
	return state.Messages
}

// publisher publishes events one after the other, each until it is
// acknowledged.
type publisher struct {
	acked atomic.Uint64
	end   context.CancelFunc
	done  sync.WaitGroup
}

func publishEvents(t *testing.T, nc *nats.Conn) *publisher {
	t.Helper()
	js := jetStream(t, nc)
	ctx, cancel := context.WithCancel(t.Context())
	p := &publisher{end: cancel}
	p.done.Go(func() { // ended by stop, at the latest by the test's end
		for ctx.Err() == nil {
			id := fmt.Sprint(p.acked.Load())
			for {
				try, cancel := context.WithTimeout(t.Context(), 2*time.Second)
				_, err := js.Publish(try, contract.UserRegistered.Subject(), []byte(`{}`), jetstream.WithMsgID(id))
				cancel()
				if err == nil || t.Context().Err() != nil {
					break
				}
			}
			p.acked.Add(1)
		}
	})
	t.Cleanup(func() { p.stop() })
	return p
}

func (p *publisher) awaitMore(t *testing.T, n uint64) {
	t.Helper()
	before := p.acked.Load()
	awaitNATS(t, "events to be acknowledged", func() bool { return p.acked.Load() >= before+n })
}

// stop returns how many events were published.
func (p *publisher) stop() uint64 {
	p.end()
	p.done.Wait()
	return p.acked.Load()
}
