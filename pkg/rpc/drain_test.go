package rpc_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/rpc"
)

// One replica stays, the other is replaced again and again, connection and
// all, under a stream of calls to either. None may fail.
func TestServer_drains_without_loss(t *testing.T) {
	ns := startNATS(t)
	work := func(_ context.Context, r echoRequest) (echoReply, error) {
		time.Sleep(rand.N(2 * time.Millisecond)) // stands for a store
		return echoReply{Text: r.Text}, nil
	}
	serveEcho(t, connect(t, ns), options(), work)

	var replaced atomic.Pointer[string]
	replaced.Store(new(string))
	stop := make(chan struct{})
	var calls atomic.Int64
	var callers sync.WaitGroup
	for range 16 {
		c := rpc.NewClient(connect(t, ns), rpc.ClientOptions{})
		callers.Go(func() { // ends with stop
			for {
				select {
				case <-stop:
					return
				default:
				}
				opts := []rpc.CallOption{rpc.To(*replaced.Load())}
				if _, err := rpc.Call(context.Background(), c, echoMethod(), echoRequest{Text: "x"}, opts[:rand.N(2)]...); err != nil {
					t.Errorf("call failed: %v", err)
				}
				calls.Add(1)
			}
		})
	}
	rounds := 30
	if testing.Short() {
		rounds = 5
	}
	for range rounds {
		nc := connect(t, ns)
		r := serveEcho(t, nc, options(), work)
		id := r.Replica()
		replaced.Store(&id)
		seen := calls.Load()
		await(t, "calls to pass", func() bool { return calls.Load() > seen+50 })
		if err := r.stop(); err != nil {
			t.Error(err)
		}
		nc.Close() // the process ends: what is not with NATS by now is lost
	}
	close(stop)
	callers.Wait()
	t.Logf("%d calls over %d restarts", calls.Load(), rounds)
}

// The last replica goes: what reached it is answered, more than its workers
// take at once; what did not is told so.
func TestServer_drains_its_queue(t *testing.T) {
	ns := startNATS(t)
	o := options()
	o.Workers, o.Queue = 2, 1000
	nc := connect(t, ns)
	gate := make(chan struct{})
	r := serveEcho(t, nc, o, func(_ context.Context, r echoRequest) (echoReply, error) {
		<-gate
		return echoReply{Text: r.Text}, nil
	})
	c := rpc.NewClient(connect(t, ns), rpc.ClientOptions{})
	before := ns.NumSubscriptions()
	const n = 500
	var answered atomic.Int64
	var callers sync.WaitGroup
	for range n {
		callers.Go(func() { // ends with its call
			if _, err := rpc.Call(within(t, 10*time.Second), c, askMethod(), echoRequest{}); err != nil {
				t.Errorf("call failed: %v", err)
				return
			}
			answered.Add(1)
		})
	}
	await(t, "all calls to be sent", func() bool { return nc.Stats().InMsgs >= n })
	r.cancel()
	await(t, "the server to unsubscribe", func() bool { return ns.NumSubscriptions() < before })
	close(gate)
	if err := r.stop(); err != nil {
		t.Error(err)
	}
	nc.Close()
	callers.Wait()
	if answered.Load() != n {
		t.Errorf("%d of %d answered", answered.Load(), n)
	}
}

// Handlers that take longer than the drain waits are cancelled, and their
// callers told.
func TestServer_drain_gives_up(t *testing.T) {
	ns := startNATS(t)
	o := options()
	o.DrainTimeout = 50 * time.Millisecond
	entered := make(chan struct{}, 2)
	hang := make(chan struct{})
	s := rpc.NewServer(connect(t, ns), o)
	rpc.Handle(s, askMethod(), func(ctx context.Context, r echoRequest) (echoReply, error) {
		entered <- struct{}{}
		if r.Text == "deaf" {
			<-hang
		}
		<-ctx.Done()
		return echoReply{}, ctx.Err()
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }() // ends with ctx
	await(t, "the server to be ready", func() bool { return s.Ready(context.Background()) == nil })

	c := rpc.NewClient(connect(t, ns), rpc.ClientOptions{})
	results := make(chan error, 2)
	for _, text := range []string{"", "deaf"} {
		go func() { // ends with its call
			_, err := rpc.Call(within(t, 3*time.Second), c, askMethod(), echoRequest{Text: text})
			results <- err
		}()
		<-entered
	}
	cancel()
	wantCode(t, <-results, fault.Unavailable)
	if err := <-done; err == nil {
		t.Error("Run hides that a request was left")
	}
	close(hang)
	<-results
}
