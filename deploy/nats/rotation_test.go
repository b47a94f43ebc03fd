package natsconf_test

import (
	"context"
	"errors"
	"maps"
	"math/big"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-im/parley/deploy/secrets/credentials"
	"github.com/parley-im/parley/pkg/bus"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/rpc"
)

// While a gateway calls chat without a pause, all keys change, as operations.md
// tells it: the file, the servers one by one, the services one by one. No call
// fails. After the second time the first keys count no more; that time servers
// reload, as those do that have the keys in a file.
func TestRotation_of_keys(t *testing.T) {
	c := startCluster(t)
	if err := bus.EnsureStream(t.Context(), c.connect(t, contract.Chat).Conn, bus.StreamConfig{Replicas: 3}); err != nil {
		t.Fatal(err)
	}
	first := c.set
	replicas := []*replica{c.serve(t), c.serve(t)}
	calls := c.call(t)
	calls.awaitMore(t, 50)

	c.set = rotated(t, c.set)
	c.restartAll(t, calls)
	for i, old := range replicas { // a rolling update: the new one first
		replicas[i] = c.serve(t)
		old.stop(t)
		calls.awaitMore(t, 50)
	}
	calls.reconnect(t, c)
	calls.awaitMore(t, 50)

	stale, err := c.dial(t, first["NATS_CHAT_SEED"])
	if err != nil {
		t.Errorf("the key before the rotation: %v", err)
	}
	second, reconnects := c.set, replicas[0].member.Stats().Reconnects
	c.set = rotated(t, c.set)
	c.reloadAll(t, calls)
	await(t, "the end of the first key's connection", func() bool {
		return !stale.IsConnected() && errors.Is(stale.LastError(), nats.ErrAuthorization)
	})
	if n := replicas[0].member.Stats().Reconnects - reconnects; n != 0 {
		t.Errorf("a connection of a key that counts was ended %d times", n)
	}
	for _, user := range []string{"NATS_AUTH_SEED", "NATS_CHAT_SEED", "NATS_GATEWAY_SEED", "NATS_OPERATOR_SEED", "NATS_SYSTEM_SEED"} {
		if _, err := c.dial(t, first[user]); !errors.Is(err, nats.ErrAuthorization) {
			t.Errorf("the first %s after the second rotation: %v", user, err)
		}
		for name, set := range map[string]credentials.Set{"before": second, "of now": c.set} {
			if _, err := c.dial(t, set[user]); err != nil {
				t.Errorf("%s %s: %v", user, name, err)
			}
		}
	}
	calls.awaitMore(t, 50) // with the second keys, by everybody
	if n, err := calls.stop(); err != nil {
		t.Errorf("of %d calls one failed: %v", n, err)
	}
}

// New certificates of the same authority reach servers by a reload: live
// connections stay, new ones get the new certificate, and whoever has only the
// authority's certificate needs to do nothing.
func TestRotation_of_certificates(t *testing.T) {
	c := startCluster(t)
	c.verify = true
	c.reloadAll(t, nil)
	c.serve(t)
	calls := c.call(t)
	calls.awaitMore(t, 50)
	live := c.connect(t, contract.Gateway)
	before := serial(t, live.Conn)

	fresh := maps.Clone(c.set)
	if err := fresh.RotateCertificates(time.Now(), credentials.ComposeHosts()); err != nil {
		t.Fatal(err)
	}
	c.set = fresh
	c.reloadAll(t, calls)
	if live.Stats().Reconnects != 0 || !live.IsConnected() || serial(t, live.Conn).Cmp(before) != 0 {
		t.Error("a live connection was disturbed")
	}
	if serial(t, c.connect(t, contract.Gateway).Conn).Cmp(before) == 0 {
		t.Error("a new connection gets the old certificate")
	}
	// With its certificate of before, it gets in again, and sees the new one.
	if err := live.ForceReconnect(); err != nil {
		t.Fatal(err)
	}
	await(t, "the live connection on the new certificate", func() bool {
		return live.Stats().Reconnects > 0 && live.IsConnected() && serial(t, live.Conn).Cmp(before) != 0
	})
	c.restart(t, c.nodes[0]) // new routes, between servers that reloaded
	calls.awaitMore(t, 50)
	if n, err := calls.stop(); err != nil {
		t.Errorf("of %d calls one failed: %v", n, err)
	}
}

// serial is that of the server's certificate; nil while there is none.
func serial(t *testing.T, nc *nats.Conn) *big.Int {
	t.Helper()
	state, err := nc.TLSConnectionState()
	if err != nil {
		return new(big.Int)
	}
	return state.PeerCertificates[0].SerialNumber
}

// rotated is the set after make env ROTATE=nats.
func rotated(t *testing.T, set credentials.Set) credentials.Set {
	t.Helper()
	next := maps.Clone(set)
	if err := next.RotateNKeys(); err != nil {
		t.Fatal(err)
	}
	return next
}

// restartAll restarts the servers one after the other, each once the one
// before is healthy and calls go through.
func (c *cluster) restartAll(t *testing.T, calls *calls) {
	t.Helper()
	for _, n := range c.nodes {
		c.restart(t, n)
		calls.awaitMore(t, 50)
	}
}

// reloadAll has the servers read their configuration again, one after the
// other, as SIGHUP does.
func (c *cluster) reloadAll(t *testing.T, calls *calls) {
	t.Helper()
	for _, n := range c.nodes {
		if err := n.srv.ReloadOptions(c.options(t, n)); err != nil {
			t.Fatal(err)
		}
		if calls != nil {
			calls.awaitMore(t, 50)
		}
	}
}

// replica is one of chat, as far as this test needs it.
type replica struct {
	member *member
	cancel context.CancelFunc
	done   chan error
}

// serve starts a replica with the cluster's secrets of now.
func (c *cluster) serve(t *testing.T) *replica {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	r := &replica{member: c.connect(t, contract.Chat), cancel: cancel, done: make(chan error, 1)}
	s := rpc.NewServer(r.member.Conn, rpc.ServerOptions{Service: contract.Chat, Version: "1.2.3", Telemetry: r.member.tel})
	rpc.Handle(s, contract.SendMessage, func(_ context.Context, r contract.SendRequest) (contract.SendReply, error) {
		return contract.SendReply{RoomID: r.RoomID}, nil
	})
	go func() { r.done <- s.Run(ctx) }() // ends with ctx, by stop
	t.Cleanup(func() { r.stop(t) })
	await(t, "a replica to serve", func() bool { return s.Ready(t.Context()) == nil })
	return r
}

// stop drains the replica, as SIGTERM does.
func (r *replica) stop(t *testing.T) {
	t.Helper()
	r.cancel()
	if err, ok := <-r.done; ok && err != nil {
		t.Errorf("a replica ended with %v", err)
	} else if ok {
		close(r.done)
	}
	r.member.Close()
}

// calls is a gateway that calls chat, one call after the other, and never
// twice for the same answer.
type calls struct {
	client atomic.Pointer[rpc.Client]
	conn   *member

	answered atomic.Int64
	failure  atomic.Pointer[error]
	end      context.CancelFunc
	done     sync.WaitGroup
}

func (c *cluster) call(t *testing.T) *calls {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	g := &calls{end: cancel}
	g.reconnect(t, c)
	g.done.Go(func() { // ends with ctx, by stop
		for ctx.Err() == nil {
			call, cancel := context.WithTimeout(ctx, 20*time.Second)
			reply, err := rpc.Call(call, g.client.Load(), contract.SendMessage, contract.SendRequest{RoomID: "r"})
			cancel()
			if err == nil && reply.RoomID != "r" {
				err = errors.New("an empty answer")
			}
			if err != nil && ctx.Err() == nil {
				g.failure.CompareAndSwap(nil, &err)
			}
			g.answered.Add(1)
		}
	})
	t.Cleanup(func() { _, _ = g.stop() })
	return g
}

// reconnect connects with the cluster's secrets of now. As a new gateway does
// beside an old one, it leaves the calls in hand to the old connection.
func (g *calls) reconnect(t *testing.T, c *cluster) {
	t.Helper()
	old := g.conn
	g.conn = c.connect(t, contract.Gateway)
	g.client.Store(rpc.NewClient(g.conn.Conn, rpc.ClientOptions{Telemetry: g.conn.tel}))
	if old != nil {
		g.awaitMore(t, 2) // those in hand have ended
		old.Close()
	}
}

// awaitMore waits until n calls more have ended well.
func (g *calls) awaitMore(t *testing.T, n int64) {
	t.Helper()
	before := g.answered.Load()
	await(t, "calls to be answered", func() bool {
		if err := g.failure.Load(); err != nil {
			t.Fatalf("a call failed: %v", *err)
		}
		return g.answered.Load() >= before+n
	})
}

// stop returns how many calls there were, and how the first failed that did.
func (g *calls) stop() (int64, error) {
	g.end()
	g.done.Wait()
	if err := g.failure.Load(); err != nil {
		return g.answered.Load(), *err
	}
	return g.answered.Load(), nil
}
