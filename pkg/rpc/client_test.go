package rpc_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/rpc"
	"github.com/parley-im/parley/pkg/telemetry"
)

func TestCall_nobody_listens(t *testing.T) {
	ns := startNATS(t)
	c := rpc.NewClient(connect(t, ns), rpc.ClientOptions{Timeout: 500 * time.Millisecond})
	t.Run("ends before the deadline", func(t *testing.T) {
		_, err := rpc.Call(context.Background(), c, askMethod(), echoRequest{})
		if f := wantCode(t, err, fault.Unavailable); f.RetryAfter <= 0 {
			t.Errorf("no hint when to come again")
		}
	})
	t.Run("a replica appears", func(t *testing.T) {
		result := make(chan error, 1)
		go func() { // ends with its call
			_, err := rpc.Call(within(t, long), c, askMethod(), echoRequest{})
			result <- err
		}()
		select {
		case err := <-result:
			t.Fatalf("gave up at once: %v", err)
		case <-time.After(60 * time.Millisecond):
		}
		s := serveEcho(t, connect(t, ns), options(), nil)
		if err := <-result; err != nil {
			t.Error(err)
		}
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_, err := rpc.Call(ctx, c, askMethod(), echoRequest{})
		wantCode(t, err, fault.Unavailable)
	})
	t.Run("out of time already", func(t *testing.T) {
		ctx, cancel := context.WithDeadline(context.Background(), time.Now().Add(-time.Second))
		defer cancel()
		_, err := rpc.Call(ctx, c, askMethod(), echoRequest{})
		wantCode(t, err, fault.DeadlineExceeded)
	})
}

func TestCall_timeout(t *testing.T) {
	ns := startNATS(t)
	nc := connect(t, ns)
	if _, err := nc.Subscribe(askMethod().Subject(), func(*nats.Msg) {}); err != nil { // listens, never answers
		t.Fatal(err)
	}
	c := rpc.NewClient(nc, rpc.ClientOptions{Timeout: 500 * time.Millisecond})
	_, err := rpc.Call(context.Background(), c, askMethod(), echoRequest{})
	wantCode(t, err, fault.DeadlineExceeded)
	ctx, cancel := context.WithCancel(within(t, long))
	time.AfterFunc(10*time.Millisecond, cancel)
	_, err = rpc.Call(ctx, c, askMethod(), echoRequest{})
	if f := wantCode(t, err, fault.Unavailable); f.RetryAfter != 0 {
		t.Error("a cancelled call hints that it was not run")
	}
}

func TestTo(t *testing.T) {
	ns := startNATS(t)
	a := serveEcho(t, connect(t, ns), options(), nil)
	b := serveEcho(t, connect(t, ns), options(), nil)
	c := rpc.NewClient(connect(t, ns), rpc.ClientOptions{})
	for range 20 {
		for _, want := range []string{a.Replica(), b.Replica()} {
			rep, err := rpc.Call(within(t, long), c, echoMethod(), echoRequest{}, rpc.To(want))
			if err != nil || rep.Replica != want {
				t.Fatalf("got %+v, %v; want %s", rep, err, want)
			}
		}
	}
	if err := b.stop(); err != nil {
		t.Fatal(err)
	}
	for name, replica := range map[string]string{"gone": b.Replica(), "unsafe": ">", "none": ""} {
		rep, err := rpc.Call(within(t, long), c, echoMethod(), echoRequest{}, rpc.To(replica))
		if err != nil || rep.Replica != a.Replica() {
			t.Errorf("%s: got %+v, %v", name, rep, err)
		}
	}
	rep, err := rpc.Call(within(t, long), c, askMethod(), echoRequest{}, rpc.To(a.Replica()))
	if err != nil || rep.Replica != a.Replica() {
		t.Errorf("a method that is not pinned: got %+v, %v", rep, err)
	}
}

func TestReplicas(t *testing.T) {
	ns := startNATS(t)
	nc := connect(t, ns)
	ids, err := rpc.Replicas(within(t, long), nc, contract.Chat, time.Second)
	if err != nil || len(ids) != 0 {
		t.Fatalf("got %v, %v", ids, err)
	}
	a := serveEcho(t, connect(t, ns), options(), nil)
	b := serveEcho(t, connect(t, ns), options(), nil)
	want := []string{a.Replica(), b.Replica()}
	slices.Sort(want)
	ids, err = rpc.Replicas(within(t, long), nc, contract.Chat, 0)
	if err != nil || !slices.Equal(ids, want) {
		t.Fatalf("got %v, %v; want %v", ids, err, want)
	}
	for _, replica := range ids {
		if !contract.ValidID(replica) {
			t.Errorf("unsafe id %q", replica)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := rpc.Replicas(ctx, nc, contract.Chat, 0); err == nil {
		t.Error("a cancelled look-up gave a list")
	}
}

// With NATS away nothing was sent, so calls wait for it as long as they may.
func TestCall_disconnected(t *testing.T) {
	ns := startNATS(t)
	port := portOf(ns)
	nc := connect(t, ns)
	c := rpc.NewClient(nc, rpc.ClientOptions{})
	ns.Shutdown()
	ns.WaitForShutdown()
	await(t, "the connection to notice", func() bool { return !nc.IsConnected() })

	_, err := rpc.Call(within(t, 100*time.Millisecond), c, askMethod(), echoRequest{})
	if f := wantCode(t, err, fault.Unavailable); f.RetryAfter <= 0 {
		t.Error("no hint when to come again")
	}
	result := make(chan error, 1)
	go func() { // ends with its call
		_, err := rpc.Call(within(t, long), c, askMethod(), echoRequest{})
		result <- err
	}()
	ns = startNATS(t, func(o *server.Options) { o.Port = port })
	serveEcho(t, connect(t, ns), options(), nil)
	if err := <-result; err != nil {
		t.Errorf("did not survive a restart of NATS: %v", err)
	}
	nc.Close()
	_, err = rpc.Call(within(t, long), c, askMethod(), echoRequest{})
	wantCode(t, err, fault.Unavailable)
}

// A connection that breaks under a request leaves its outcome unknown.
func TestCall_breaks_off(t *testing.T) {
	for name, breakOff := range map[string]func(*nats.Conn) error{
		"closed":     func(nc *nats.Conn) error { nc.Close(); return nil },
		"reconnects": (*nats.Conn).ForceReconnect,
	} {
		t.Run(name, func(t *testing.T) {
			ns := startNATS(t)
			entered := make(chan struct{}, 4)
			pass, open := newGate(t)
			var ran atomic.Int64
			serveEcho(t, connect(t, ns), options(), func(context.Context, echoRequest) (echoReply, error) {
				ran.Add(1)
				entered <- struct{}{}
				pass()
				return echoReply{}, nil
			})
			nc := connect(t, ns)
			c := rpc.NewClient(nc, rpc.ClientOptions{})
			result := make(chan error, 1)
			go func() { // ends with its call
				_, err := rpc.Call(within(t, long), c, askMethod(), echoRequest{})
				result <- err
			}()
			<-entered
			if err := breakOff(nc); err != nil {
				t.Fatal(err)
			}
			wantCode(t, <-result, fault.DeadlineExceeded)
			open()
			if n := ran.Load(); n != 1 {
				t.Errorf("ran %d times", n)
			}
		})
	}
}

func TestMetrics(t *testing.T) {
	ns := startNATS(t)
	tel := telemetry.Discard(contract.Chat)
	o := options()
	o.Telemetry = tel
	serveEcho(t, connect(t, ns), o, func(_ context.Context, r echoRequest) (echoReply, error) {
		if r.Text == "" {
			return echoReply{}, fault.New(fault.NotFound, "")
		}
		return echoReply{}, nil
	})
	// A second one on the same registry, which must have gone: until then it
	// answers, too.
	if err := serveEcho(t, connect(t, ns), o, nil).stop(); err != nil {
		t.Fatal(err)
	}
	nc := connect(t, ns)
	for _, text := range []string{"", "a", "b"} {
		c := rpc.NewClient(nc, rpc.ClientOptions{Telemetry: tel})
		_, _ = rpc.Call(within(t, long), c, echoMethod(), echoRequest{Text: text})
	}
	families, err := tel.Metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, f := range families {
		fmt.Fprintln(&all, f.String())
	}
	for _, side := range []string{"client", "server"} {
		for _, name := range []string{"requests_total", "duration_seconds", "in_flight"} {
			if want := "parley_rpc_" + side + "_" + name; !strings.Contains(all.String(), want) {
				t.Errorf("%s is missing", want)
			}
		}
	}
	for _, want := range []string{"parley_rpc_server_queue_length", "parley_rpc_client_retries_total", `"not_found"`, `"ok"`, `"chat.echo"`} {
		if !strings.Contains(all.String(), want) {
			t.Errorf("%s is missing in\n%s", want, &all)
		}
	}
}
