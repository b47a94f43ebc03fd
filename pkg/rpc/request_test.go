package rpc_test

import (
	"context"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/rpc"
	"github.com/parley-im/parley/pkg/telemetry"
)

func TestRequestID_crosses_the_call(t *testing.T) {
	ns := startNATS(t)
	seen := make(chan string, 1)
	serveEcho(t, connect(t, ns), options(), func(ctx context.Context, _ echoRequest) (echoReply, error) {
		seen <- telemetry.RequestID(ctx)
		return echoReply{}, nil
	})
	nc := connect(t, ns)
	c := rpc.NewClient(nc, rpc.ClientOptions{})
	call := func(ctx context.Context) {
		t.Helper()
		if _, err := rpc.Call(ctx, c, askMethod(), echoRequest{}); err != nil {
			t.Fatal(err)
		}
	}
	ctx := within(t, long)
	call(telemetry.WithRequest(ctx, "conn.1"))
	if got := <-seen; got != "conn.1" {
		t.Errorf("the handler serves %q", got)
	}
	call(ctx) // with a message that was used before
	if got := <-seen; got != "" {
		t.Errorf("the handler serves %q", got)
	}
	for _, id := range []string{"two\tlines", "Ännchen", strings.Repeat("x", contract.MaxRequestIDLength+1)} {
		msg := &nats.Msg{Subject: askMethod().Subject(), Data: []byte("{}"), Header: nats.Header{contract.HeaderRequestID: {id}}}
		if _, err := nc.RequestMsgWithContext(ctx, msg); err != nil {
			t.Fatal(err)
		}
		if got := <-seen; got != "" {
			t.Errorf("%q is taken as %q", id, got)
		}
	}
}
