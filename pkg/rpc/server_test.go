package rpc_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/rpc"
)

func TestServer_deadline(t *testing.T) {
	ns := startNATS(t)
	left := make(chan time.Duration, 1)
	o := options()
	o.Timeout = 2 * time.Minute
	serveEcho(t, connect(t, ns), o, func(ctx context.Context, r echoRequest) (echoReply, error) {
		deadline, ok := ctx.Deadline()
		if !ok {
			return echoReply{}, errors.New("no deadline")
		}
		left <- time.Until(deadline)
		if r.Text == "wait" {
			<-ctx.Done()
			return echoReply{}, ctx.Err()
		}
		return echoReply{}, nil
	})
	nc := connect(t, ns)
	for name, c := range map[string]struct {
		header   string
		min, max time.Duration
	}{
		"from the caller": {"60000", 10 * time.Second, time.Minute},
		"at most its own": {"86400000", 70 * time.Second, 2 * time.Minute},
		"none":            {"", 70 * time.Second, 2 * time.Minute},
		"not a number":    {"soon", 70 * time.Second, 2 * time.Minute},
		"negative":        {"-5", 70 * time.Second, 2 * time.Minute},
		"overflowing":     {"99999999999999999999", 70 * time.Second, 2 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			msg := &nats.Msg{Subject: askMethod().Subject(), Data: []byte(`{}`), Header: nats.Header{}}
			if c.header != "" {
				msg.Header.Set(contract.HeaderTimeout, c.header)
			}
			if _, err := nc.RequestMsg(msg, long); err != nil {
				t.Fatal(err)
			}
			if d := <-left; d < c.min || d > c.max {
				t.Errorf("%v left, want %v to %v", d, c.min, c.max)
			}
		})
	}
	t.Run("ends the handler", func(t *testing.T) {
		c := rpc.NewClient(nc, rpc.ClientOptions{})
		_, err := rpc.Call(within(t, 500*time.Millisecond), c, askMethod(), echoRequest{Text: "wait"})
		wantCode(t, err, fault.DeadlineExceeded)
		if d := <-left; d > 500*time.Millisecond {
			t.Errorf("the handler had %v", d)
		}
	})
}

// What waited for a worker until its caller had left is not run.
func TestServer_queue(t *testing.T) {
	ns := startNATS(t)
	var ran atomic.Int64
	pass, open := newGate(t)
	busy := make(chan struct{}, 8)
	o := options()
	o.Workers, o.Queue = 1, 2
	serveEcho(t, connect(t, ns), o, func(ctx context.Context, _ echoRequest) (echoReply, error) {
		ran.Add(1)
		busy <- struct{}{}
		pass()
		return echoReply{}, nil
	})
	nc := connect(t, ns)
	c := rpc.NewClient(nc, rpc.ClientOptions{})
	call := func(d time.Duration) chan error {
		done := make(chan error, 1)
		go func() { // ends with its deadline
			ctx, cancel := context.WithTimeout(context.Background(), d)
			defer cancel()
			_, err := rpc.Call(ctx, c, askMethod(), echoRequest{})
			done <- err
		}()
		return done
	}
	first := call(long)
	<-busy // the one worker has it

	waits := []chan error{call(50 * time.Millisecond), call(50 * time.Millisecond)}
	var full error
	await(t, "the queue to be full", func() bool {
		began := time.Now()
		_, full = rpc.Call(within(t, 20*time.Millisecond), c, askMethod(), echoRequest{})
		return fault.Is(full, fault.Unavailable) && time.Since(began) < 20*time.Millisecond
	})
	if f := wantCode(t, full, fault.Unavailable); f.RetryAfter <= 0 {
		t.Errorf("no hint when to come again: %v", f)
	}
	for _, w := range waits {
		if err := <-w; !fault.Is(err, fault.DeadlineExceeded) && !fault.Is(err, fault.Unavailable) {
			t.Errorf("got %v", err)
		}
	}
	// All that wait have arrived: the one that was refused came after them. The
	// server counts their time from then on.
	arrived := time.Now()
	await(t, "their time to be up", func() bool { return time.Since(arrived) > 50*time.Millisecond })
	open()
	if err := <-first; err != nil {
		t.Error(err)
	}
	// One that follows those in the queue shows that they are through.
	if err := <-call(long); err != nil {
		t.Error(err)
	}
	if n := ran.Load(); n != 2 {
		t.Errorf("%d requests ran, want 2: those that waited too long must not", n)
	}
}

func TestServer_panic(t *testing.T) {
	ns := startNATS(t)
	tel, log := logged()
	o := options()
	o.Telemetry, o.Workers = tel, 1
	serveEcho(t, connect(t, ns), o, func(_ context.Context, r echoRequest) (echoReply, error) {
		if r.Text == "panic" {
			panic("hunter2")
		}
		return echoReply{}, nil
	})
	c := rpc.NewClient(connect(t, ns), rpc.ClientOptions{})
	_, err := rpc.Call(within(t, long), c, askMethod(), echoRequest{Text: "panic"})
	if f := wantCode(t, err, fault.Internal); strings.Contains(f.Detail, "hunter2") {
		t.Errorf("leaked: %v", f)
	}
	for _, want := range []string{"panic: hunter2", "TestServer_panic", `"method":"chat.ask"`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, log)
		}
	}
	if _, err := rpc.Call(within(t, long), c, askMethod(), echoRequest{}); err != nil {
		t.Errorf("the worker did not survive: %v", err)
	}
}

func TestServer_Ready(t *testing.T) {
	ns := startNATS(t)
	s := rpc.NewServer(connect(t, ns), options())
	if s.Ready(context.Background()) == nil {
		t.Error("ready before Run")
	}
	r := start(t, s)
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if s.Ready(context.Background()) == nil {
		t.Error("ready after Run")
	}
	if s.Run(context.Background()) == nil {
		t.Error("ran twice")
	}
}

func TestServer_stops_by_itself(t *testing.T) {
	ns := startNATS(t)
	nc := connect(t, ns)
	s := rpc.NewServer(nc, options())
	rpc.Handle(s, askMethod(), func(context.Context, echoRequest) (echoReply, error) { return echoReply{}, nil })
	done := make(chan error, 1)
	go func() { done <- s.Run(context.Background()) }() // ends with the connection
	await(t, "the server to be ready", func() bool { return s.Ready(context.Background()) == nil })
	nc.Close()
	select {
	case err := <-done:
		if err == nil || !strings.Contains(err.Error(), "stopped serving") {
			t.Errorf("got %v", err)
		}
	case <-time.After(long):
		t.Fatal("Run does not notice")
	}
	if s.Ready(context.Background()) == nil {
		t.Error("still ready")
	}
}

func TestHandle_refuses_wrong_programs(t *testing.T) {
	ns := startNATS(t)
	nc := connect(t, ns)
	answer := func(context.Context, echoRequest) (echoReply, error) { return echoReply{}, nil }
	for name, f := range map[string]func(*rpc.Server){
		"another service's": func(s *rpc.Server) {
			rpc.Handle(s, contract.Method[echoRequest, echoReply]{Service: contract.Auth, Name: "x"}, answer)
		},
		"twice": func(s *rpc.Server) {
			rpc.Handle(s, askMethod(), answer)
			rpc.Handle(s, askMethod(), answer)
		},
		"after Run": func(s *rpc.Server) {
			start(t, s)
			rpc.Handle(s, askMethod(), answer)
		},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("taken")
				}
			}()
			f(rpc.NewServer(nc, options()))
		})
	}
}
