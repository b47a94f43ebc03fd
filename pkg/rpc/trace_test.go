package rpc_test

import (
	"context"
	"testing"

	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/rpc"
	"github.com/parley-im/parley/pkg/telemetry"
)

func TestTrace_crosses_the_call(t *testing.T) {
	ns := startNATS(t)
	spans := tracetest.NewInMemoryExporter()
	tel := telemetry.Discard(contract.Chat)
	tel.Tracer = sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	o := options()
	o.Telemetry = tel
	seen := make(chan trace.SpanContext, 1)
	serveEcho(t, connect(t, ns), o, func(ctx context.Context, _ echoRequest) (echoReply, error) {
		seen <- trace.SpanContextFromContext(ctx)
		return echoReply{}, fault.New(fault.NotFound, "")
	})
	c := rpc.NewClient(connect(t, ns), rpc.ClientOptions{Telemetry: tel})
	ctx, root := tel.Tracer.Tracer("test").Start(within(t, long), "root")
	_, err := rpc.Call(ctx, c, askMethod(), echoRequest{})
	wantCode(t, err, fault.NotFound)
	root.End()

	await(t, "all spans to end", func() bool { return len(spans.GetSpans()) == 3 })
	byKind := map[trace.SpanKind]tracetest.SpanStub{}
	for _, s := range spans.GetSpans() {
		byKind[s.SpanKind] = s
	}
	server, client := byKind[trace.SpanKindServer], byKind[trace.SpanKindClient]
	if server.Parent.SpanID() != client.SpanContext.SpanID() || client.Parent.SpanID() != root.SpanContext().SpanID() {
		t.Errorf("the spans do not hang together: %+v, %+v", client, server)
	}
	if in := <-seen; in.TraceID() != root.SpanContext().TraceID() || in.SpanID() != server.SpanContext.SpanID() {
		t.Errorf("the handler is in %+v", in)
	}
	for _, s := range []tracetest.SpanStub{server, client} {
		if s.Name != "chat.ask" || s.Status.Code != codes.Error || s.Status.Description != "not_found" {
			t.Errorf("got %s %+v", s.Name, s.Status)
		}
	}
}
