package rpc_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/rpc"
)

// keyMethod may run twice, as those that have a key do.
func keyMethod() contract.Method[echoRequest, echoReply] {
	return contract.Method[echoRequest, echoReply]{Service: contract.Chat, Name: "key", Pinned: true, Repeatable: true}
}

// serveKey runs a replica that answers keyMethod with h.
func serveKey(t testing.TB, nc *nats.Conn, h func(context.Context, echoRequest) (echoReply, error)) *running {
	t.Helper()
	s := rpc.NewServer(nc, options())
	rpc.Handle(s, keyMethod(), h)
	return start(t, s)
}

// swallow takes requests and answers none, as a replica that died with them
// does. It counts them.
func swallow(t *testing.T, nc *nats.Conn, subject string) *atomic.Int64 {
	t.Helper()
	var n atomic.Int64
	if _, err := nc.Subscribe(subject, func(*nats.Msg) { n.Add(1) }); err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	return &n
}

func replicaSubject(t *testing.T, replica string) string {
	t.Helper()
	subject, err := keyMethod().ReplicaSubject(replica)
	if err != nil {
		t.Fatal(err)
	}
	return subject
}

func TestCall_repeats(t *testing.T) {
	t.Run("what a replica died with, elsewhere", func(t *testing.T) {
		ns := startNATS(t)
		nc := connect(t, ns)
		taken := swallow(t, nc, replicaSubject(t, "dead"))
		serveKey(t, connect(t, ns), func(context.Context, echoRequest) (echoReply, error) {
			return echoReply{Replica: "alive"}, nil
		})
		rep, err := rpc.Call(within(t, 20*time.Second), rpc.NewClient(nc, rpc.ClientOptions{}), keyMethod(), echoRequest{}, rpc.To("dead"))
		if err != nil || rep.Replica != "alive" || taken.Load() != 1 {
			t.Errorf("got %+v, %v; %d requests were lost", rep, err, taken.Load())
		}
	})
	t.Run("and takes the answer to any of them", func(t *testing.T) {
		ns := startNATS(t)
		second := make(chan struct{})
		var ran atomic.Int64
		serveKey(t, connect(t, ns), func(ctx context.Context, _ echoRequest) (echoReply, error) {
			if ran.Add(1) == 1 {
				<-second
				return echoReply{Text: "first"}, nil
			}
			close(second)
			<-ctx.Done()
			return echoReply{}, ctx.Err()
		})
		rep, err := rpc.Call(within(t, 3*time.Second), rpc.NewClient(connect(t, ns), rpc.ClientOptions{}), keyMethod(), echoRequest{})
		if err != nil || rep.Text != "first" {
			t.Errorf("got %+v, %v", rep, err)
		}
	})
	t.Run("nothing that may run only once", func(t *testing.T) {
		ns := startNATS(t)
		nc := connect(t, ns)
		taken := swallow(t, nc, askMethod().Subject())
		_, err := rpc.Call(within(t, 1500*time.Millisecond), rpc.NewClient(nc, rpc.ClientOptions{}), askMethod(), echoRequest{})
		wantCode(t, err, fault.DeadlineExceeded)
		if taken.Load() != 1 {
			t.Errorf("sent %d times", taken.Load())
		}
	})
	t.Run("and does not tell that it was not run when it may have been", func(t *testing.T) {
		ns := startNATS(t)
		nc := connect(t, ns)
		swallow(t, nc, replicaSubject(t, "dead"))
		_, err := rpc.Call(within(t, 1500*time.Millisecond), rpc.NewClient(nc, rpc.ClientOptions{}), keyMethod(), echoRequest{}, rpc.To("dead"))
		wantCode(t, err, fault.DeadlineExceeded)
	})
}

// A service that answers nothing any more does not get everything twice.
func TestCall_repeats_little_of_much(t *testing.T) {
	ns := startNATS(t)
	nc := connect(t, ns)
	taken := swallow(t, connect(t, ns), keyMethod().Subject())
	c := rpc.NewClient(nc, rpc.ClientOptions{Timeout: 2500 * time.Millisecond}) // for one repeat each
	const n = 500
	var callers sync.WaitGroup
	for range n {
		callers.Go(func() { // ends with its call
			_, err := rpc.Call(context.Background(), c, keyMethod(), echoRequest{})
			if !fault.Is(err, fault.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
		})
	}
	callers.Wait()
	if got := taken.Load(); got <= n || got > n+100 {
		t.Errorf("%d calls became %d requests", n, got)
	}
}
