package rpc_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/rpc"
	"github.com/parley-im/parley/pkg/telemetry"
)

// NATS tells only the connection that it refused a subscription.
func TestServer_may_not_subscribe(t *testing.T) {
	ns := startNATS(t, func(o *server.Options) {
		o.Users = []*server.User{{Username: "chat", Password: "p", Permissions: &server.Permissions{
			Subscribe: &server.SubjectPermission{Allow: []string{"$SRV.>", "_INBOX.>", askMethod().Subject()}},
		}}}
	})
	s := rpc.NewServer(connect(t, ns, nats.UserInfo("chat", "p")), options())
	answer := func(context.Context, echoRequest) (echoReply, error) { return echoReply{}, nil }
	rpc.Handle(s, askMethod(), answer)
	rpc.Handle(s, echoMethod(), answer)
	err := s.Run(within(t, long))
	if !errors.Is(err, nats.ErrPermissionViolation) || !strings.Contains(err.Error(), echoMethod().Subject()) {
		t.Errorf("got %v", err)
	}
}

func TestServer_starts_before_NATS(t *testing.T) {
	ns := startNATS(t)
	url := ns.ClientURL()
	port := portOf(ns)
	ns.Shutdown()
	ns.WaitForShutdown()
	nc, err := nats.Connect(url, nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1),
		nats.ReconnectWait(10*time.Millisecond), nats.ReconnectBufSize(-1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	s := rpc.NewServer(nc, options())
	rpc.Handle(s, askMethod(), func(context.Context, echoRequest) (echoReply, error) { return echoReply{Text: "up"}, nil })
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }() // ends with ctx, below
	ns = startNATS(t, func(o *server.Options) { o.Port = port })
	await(t, "the server to be ready", func() bool { return s.Ready(context.Background()) == nil })
	rep, err := rpc.Call(within(t, long), rpc.NewClient(connect(t, ns), rpc.ClientOptions{}), askMethod(), echoRequest{})
	if err != nil || rep.Text != "up" {
		t.Errorf("got %+v, %v", rep, err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// Who stops while NATS is away stops all the same.
func TestServer_stops_before_NATS_comes(t *testing.T) {
	ns := startNATS(t)
	url := ns.ClientURL()
	ns.Shutdown()
	ns.WaitForShutdown()
	nc, err := nats.Connect(url, nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	s := rpc.NewServer(nc, rpc.ServerOptions{Service: contract.Chat, DrainTimeout: 50 * time.Millisecond})
	rpc.Handle(s, askMethod(), func(context.Context, echoRequest) (echoReply, error) { return echoReply{}, nil })
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(long):
		t.Fatal("Run does not end")
	}
}

func TestServer_is_listed(t *testing.T) {
	ns := startNATS(t)
	for version, want := range map[string]string{
		"1.2.3": "1.2.3", "v1.2.3-4-gabc": "1.2.3-4-gabc", "(devel)": "0.0.0+devel", "": "0.0.0", "main/x": "0.0.0+main-x",
	} {
		o := options()
		o.Version = version
		s := serveEcho(t, connect(t, ns), o, nil)
		nc := connect(t, ns)
		if _, err := rpc.Call(within(t, long), rpc.NewClient(nc, rpc.ClientOptions{}), askMethod(), echoRequest{}); err != nil {
			t.Fatal(err)
		}
		var stats micro.Stats
		var seen rpc.Stats
		await(t, "the call to be counted, after its answer", func() bool {
			stats, seen = statsOf(t, nc, askMethod().Subject())
			return seen.Answered > 0
		})
		if stats.Version != want || stats.Metadata[contract.MetadataReplica] != s.Replica() || len(stats.Endpoints) != 3 {
			t.Errorf("got %+v", stats)
		}
		if m := stats.Metadata; m[contract.MetadataVersion] != version || m[contract.MetadataRevision] != telemetry.Revision() {
			t.Errorf("version %q: metadata %v", version, m)
		}
		if seen.Answered != 1 || seen.Faults != 0 || seen.AverageMS <= 0 {
			t.Errorf("got %+v", seen)
		}
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	}
}

// statsOf asks micro for what a replica shows of itself, and of one subject.
func statsOf(t *testing.T, nc *nats.Conn, subject string) (stats micro.Stats, seen rpc.Stats) {
	t.Helper()
	msg, err := nc.Request("$SRV.STATS.chat", nil, long)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(msg.Data, &stats); err != nil {
		t.Fatal(err)
	}
	for _, e := range stats.Endpoints {
		if e.Subject == subject {
			if err := json.Unmarshal(e.Data, &seen); err != nil {
				t.Fatal(err)
			}
		}
	}
	return stats, seen
}
