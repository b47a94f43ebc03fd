package rpc_test

import (
	"context"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/rpc"
)

// startCluster runs two servers that know each other.
func startCluster(t testing.TB) (a, b *server.Server) {
	t.Helper()
	node := func(o *server.Options) {
		o.Cluster = server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: server.RANDOM_PORT}
	}
	a = startNATS(t, node)
	b = startNATS(t, node, func(o *server.Options) {
		o.Routes = []*url.URL{{Scheme: "nats", Host: a.ClusterAddr().String()}}
	})
	await(t, "a cluster", func() bool { return a.NumRoutes() > 0 && b.NumRoutes() > 0 })
	return a, b
}

// As TestServer_drains_without_loss, with the callers at another server of a
// cluster, which sends on what is meant for one replica until it has heard
// that the replica left; what comes too late is lost without a word. Few do,
// since a replica that leaves says so first; those few are sent again.
func TestServer_drains_without_loss_in_a_cluster(t *testing.T) {
	here, there := startCluster(t)
	replaceUnderLoad(t, here, there, keyMethod())
}

// The caller's server goes away while its requests run: what may run twice is
// sent again over the next server; of the rest it is told soon, not after the
// hour that the calls have, that nobody knows.
func TestCall_server_of_NATS_goes(t *testing.T) {
	here, there := startCluster(t)
	nc, err := nats.Connect(here.ClientURL()+","+there.ClientURL(), nats.DontRandomize(), nats.MaxReconnects(-1), nats.ReconnectBufSize(-1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	var ran, ranOnce atomic.Int64
	over := make(chan struct{})
	defer close(over)
	s := rpc.NewServer(connect(t, there), options())
	rpc.Handle(s, keyMethod(), func(context.Context, echoRequest) (echoReply, error) {
		if ran.Add(1) == 1 {
			<-over // its answer is lost
		}
		return echoReply{Text: "again"}, nil
	})
	rpc.Handle(s, askMethod(), func(context.Context, echoRequest) (echoReply, error) {
		ranOnce.Add(1)
		<-over
		return echoReply{}, nil
	})
	start(t, s)
	c := rpc.NewClient(nc, rpc.ClientOptions{Timeout: time.Hour})
	again, once := make(chan error, 1), make(chan error, 1)
	go func() { // ends with its call
		rep, err := rpc.Call(context.Background(), c, keyMethod(), echoRequest{})
		if err == nil && rep.Text != "again" {
			t.Errorf("got %+v", rep)
		}
		again <- err
	}()
	go func() { // ends with its call
		_, err := rpc.Call(context.Background(), c, askMethod(), echoRequest{})
		once <- err
	}()
	await(t, "both requests to run", func() bool { return ran.Load() == 1 && ranOnce.Load() == 1 })
	here.Shutdown()
	told := func(result <-chan error) error {
		select {
		case err := <-result:
			return err
		case <-time.After(long):
			t.Fatal("not told")
			return nil
		}
	}
	wantCode(t, told(once), fault.DeadlineExceeded)
	if err := told(again); err != nil {
		t.Error(err)
	}
	if n := ranOnce.Load(); n != 1 {
		t.Errorf("what may not run twice ran %d times", n)
	}
}
