package rpc_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/rpc"
)

// One replica stays, the other is replaced again and again, connection and
// all, under a stream of calls to either. None may fail.
func TestServer_drains_without_loss(t *testing.T) {
	ns := startNATS(t)
	replaceUnderLoad(t, ns, ns, echoMethod())
}

// replaceUnderLoad has the callers of m and the replica that stays at one
// server of NATS, and the replica that is replaced at another.
func replaceUnderLoad(t *testing.T, here, there *server.Server, m contract.Method[echoRequest, echoReply]) {
	t.Helper()
	serve := func(nc *nats.Conn, h func(context.Context, echoRequest) (echoReply, error)) *running {
		s := rpc.NewServer(nc, options())
		rpc.Handle(s, m, h)
		return start(t, s)
	}
	work := func(_ context.Context, r echoRequest) (echoReply, error) {
		time.Sleep(rand.N(2 * time.Millisecond)) // stands for a store
		return echoReply{Text: r.Text}, nil
	}
	serve(connect(t, here), work)

	var replaced atomic.Pointer[string]
	replaced.Store(new(string))
	stop := make(chan struct{})
	var calls atomic.Int64
	var callers sync.WaitGroup
	for range 16 {
		c := rpc.NewClient(connect(t, here), rpc.ClientOptions{})
		callers.Go(func() { // ends with stop
			for {
				select {
				case <-stop:
					return
				default:
				}
				opts := []rpc.CallOption{rpc.To(*replaced.Load())}
				if _, err := rpc.Call(context.Background(), c, m, echoRequest{Text: "x"}, opts[:rand.N(2)]...); err != nil {
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
		nc := connect(t, there)
		r := serve(nc, work)
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

// While a replica leaves it still answers those who prefer it, and tells them.
func TestServer_leaves(t *testing.T) {
	ns := startNATS(t)
	leaver := serveEcho(t, connect(t, ns), options(), nil)
	subject, err := echoMethod().ReplicaSubject(leaver.Replica())
	if err != nil {
		t.Fatal(err)
	}
	nc := connect(t, ns)
	answered, told := 0, 0
	for {
		m, err := nc.Request(subject, []byte(`{}`), long)
		if errors.Is(err, nats.ErrNoResponders) {
			break // it has left
		}
		if err != nil {
			t.Fatal(err)
		}
		if answered++; answered == 10 {
			leaver.cancel()
		}
		if m.Header.Get(contract.HeaderLeaving) == leaver.Replica() {
			told++
		}
	}
	if told == 0 || answered-told < 10 {
		t.Errorf("told with %d of %d answers", told, answered)
	}
}

// A caller who is told goes elsewhere, while the replica still answers.
func TestTo_a_replica_that_leaves(t *testing.T) {
	ns := startNATS(t)
	nc := connect(t, ns)
	other := serveEcho(t, connect(t, ns), options(), nil)
	subject, err := echoMethod().ReplicaSubject("leaver")
	if err != nil {
		t.Fatal(err)
	}
	_, err = nc.Subscribe(subject, func(m *nats.Msg) {
		_ = m.RespondMsg(&nats.Msg{Data: []byte(`{"replica":"leaver"}`), Header: nats.Header{contract.HeaderLeaving: {"leaver"}}})
	})
	if err != nil {
		t.Fatal(err)
	}
	c := rpc.NewClient(nc, rpc.ClientOptions{})
	for _, want := range []string{"leaver", other.Replica(), other.Replica()} {
		rep, err := rpc.Call(within(t, long), c, echoMethod(), echoRequest{}, rpc.To("leaver"))
		if err != nil || rep.Replica != want {
			t.Fatalf("got %+v, %v; want %s", rep, err, want)
		}
	}
}

// The last replica goes: what reached it is answered, more than its workers
// take at once; what did not is told so.
func TestServer_drains_its_queue(t *testing.T) {
	ns := startNATS(t)
	o := options()
	o.Workers, o.Queue = 2, 1000
	nc := connect(t, ns)
	pass, open := newGate(t)
	r := serveEcho(t, nc, o, func(_ context.Context, r echoRequest) (echoReply, error) {
		pass()
		return echoReply{Text: r.Text}, nil
	})
	c := rpc.NewClient(connect(t, ns), rpc.ClientOptions{})
	before := ns.NumSubscriptions()
	const n = 500
	var answered atomic.Int64
	var callers sync.WaitGroup
	for range n {
		callers.Go(func() { // ends with its call
			if _, err := rpc.Call(within(t, long), c, askMethod(), echoRequest{}); err != nil {
				t.Errorf("call failed: %v", err)
				return
			}
			answered.Add(1)
		})
	}
	await(t, "all calls to be sent", func() bool { return nc.Stats().InMsgs >= n })
	r.cancel()
	await(t, "the server to unsubscribe", func() bool { return ns.NumSubscriptions() < before })
	open()
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
