package gateway

import (
	"bytes"
	"context"
	"math"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/telemetry"
)

// trail is the delivery of one push whose sender is traced: one span,
// whatever the number of connections that get it. The span is a child of the
// one that published the push, in another process, and linked to it. It ends
// when the last connection has written the push or dropped it; one that is
// held back until its connection is ready counts, too. A nil trail is that of
// a push that nobody traces.
type trail struct {
	span    trace.Span
	open    atomic.Int64 // connections that have yet to write it, and the hub while it queues
	queued  atomic.Int64
	dropped atomic.Int64
	first   atomic.Bool
}

// newTrail begins a delivery when the push carries a recorded trace.
func (h *hub) newTrail(m *nats.Msg, op contract.Op, every func(contract.Op) string) *trail {
	if len(m.Header) == 0 {
		return nil // nearly always
	}
	ctx := telemetry.Extract(context.Background(), m.Header)
	publisher := trace.SpanContextFromContext(ctx)
	if !publisher.IsSampled() {
		return nil
	}
	template := every(op)
	t := &trail{}
	_, t.span = h.tracer.Start(ctx, "deliver "+template, trace.WithSpanKind(trace.SpanKindConsumer), //nolint:spancheck // left ends it, with the last
		trace.WithLinks(trace.Link{SpanContext: publisher}),
		trace.WithAttributes(
			attribute.String("messaging.system", "nats"),
			attribute.String("messaging.operation.name", "deliver"),
			attribute.String("messaging.operation.type", "process"),
			attribute.String("messaging.destination.name", m.Subject),
			attribute.String("messaging.destination.template", template),
			attribute.Int("messaging.message.body.size", len(m.Data)),
		))
	t.open.Store(1)
	return t
}

func (t *trail) spanContext() trace.SpanContext {
	if t == nil {
		return trace.SpanContext{}
	}
	return t.span.SpanContext()
}

// given notes that a connection is about to get the push. It must be told
// wrote or lost once.
func (t *trail) given() {
	if t != nil {
		t.open.Add(1)
		t.queued.Add(1)
	}
}

// wrote notes that a connection has written the push to its socket.
func (t *trail) wrote() {
	if t == nil {
		return
	}
	if t.first.CompareAndSwap(false, true) {
		t.span.AddEvent("first written")
	}
	t.left()
}

// lost notes that a connection has dropped the push: it ends, or was too slow.
func (t *trail) lost() {
	if t == nil {
		return
	}
	t.dropped.Add(1)
	t.left()
}

// left ends the span with the last; the hub calls it when all have been given
// the push.
func (t *trail) left() {
	if t == nil || t.open.Add(-1) > 0 {
		return
	}
	t.span.SetAttributes(
		attribute.Int64("parley.connections", t.queued.Load()),
		attribute.Int64("parley.connections.dropped", t.dropped.Load()),
	)
	t.span.End()
}

// started is the origin of monotonic.
var started = time.Now()

// monotonic is a time as one number that does not change when the machine's clock
// is set, for what is kept in atomics and for each waiting frame.
func monotonic(t time.Time) time.Duration { return t.Sub(started) }

// sinceStart is monotonic of now.
func sinceStart() time.Duration { return time.Since(started) }

var sentAtKey = []byte(`"sent_at":"`)

// messageAge is how many milliseconds ago a message was sent, by its frame,
// which is not decoded; 0 when the frame does not say. It is never less than
// 1: clocks of two machines differ. No text of a user can hold the key, since
// quotes in it are escaped.
func messageAge(op contract.Op, frame []byte, now time.Time) int32 {
	if op != contract.MessagePushed.Op {
		return 0
	}
	i := bytes.LastIndex(frame, sentAtKey)
	if i < 0 {
		return 0
	}
	value, _, ok := bytes.Cut(frame[i+len(sentAtKey):], []byte{'"'})
	var sent time.Time
	if !ok || sent.UnmarshalText(value) != nil {
		return 0
	}
	return int32(min(max(1, now.Sub(sent).Milliseconds()), math.MaxInt32))
}
