package chat

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/parley-im/parley/pkg/telemetry"
)

// tracing makes the spans of a Log. One insert serves many sends: it is a
// child of the first of them that is traced, and linked with the others.
type tracing struct {
	tracer trace.Tracer
	system attribute.KeyValue // the store's engine
}

func newTracing(tel *telemetry.Telemetry, storeURL string) tracing {
	return tracing{tracer: tel.Tracer.Tracer("github.com/parley-im/parley/services/chat"), system: telemetry.StoreSystem(storeURL)}
}

// traced reports whether the send's caller is.
func (s *send) traced() bool { return !s.queued.IsZero() }

// context is that of the first send that is traced, else of the first; sends
// wait for the slot as long as it is pending.
func (s *slot) context() context.Context {
	for _, w := range s.sends {
		if w.traced() {
			return w.ctx
		}
	}
	return s.sends[0].ctx
}

// inserting is the span of one insert; nil when no send in it is traced.
type inserting struct {
	span  trace.Span
	sends []*send // the traced ones
}

// begin begins the span of an insert that began then, and notes of each traced
// send how long it has waited for it.
func (t tracing) begin(slots []*slot, began time.Time) *inserting {
	var sends []*send
	for _, s := range slots {
		for _, w := range s.sends {
			if w.traced() {
				sends = append(sends, w)
			}
		}
	}
	if len(sends) == 0 {
		return nil
	}
	links := make([]trace.Link, 0, len(sends)-1)
	for i, w := range sends {
		_, wait := t.tracer.Start(w.ctx, "queue", trace.WithTimestamp(w.queued))
		wait.End(trace.WithTimestamp(began))
		if i > 0 {
			links = append(links, trace.LinkFromContext(w.ctx))
		}
	}
	_, span := t.tracer.Start(sends[0].ctx, "insert", trace.WithTimestamp(began), trace.WithSpanKind(trace.SpanKindClient),
		trace.WithLinks(links...),
		trace.WithAttributes(t.system, attribute.String("db.operation.name", "append"), attribute.Int("parley.batch.messages", len(slots))))
	for _, w := range sends[1:] {
		trace.SpanFromContext(w.ctx).AddLink(trace.Link{SpanContext: span.SpanContext()})
	}
	return &inserting{span: span, sends: sends}
}

// end ends the span with the insert's outcome. Sends that it did not store
// wait anew.
func (i *inserting) end(stored int, err error) {
	if i == nil {
		return
	}
	switch {
	case errors.Is(err, ErrSeqTaken):
		i.span.SetAttributes(attribute.String("parley.batch.collision", "seq"))
	case errors.Is(err, ErrClientIDTaken):
		i.span.SetAttributes(attribute.String("parley.batch.collision", "client_id"))
	case err != nil:
		stored = 0
		i.span.SetStatus(codes.Error, "outcome unknown")
	}
	i.span.SetAttributes(attribute.Int("parley.batch.stored", stored))
	i.span.End()
	if err != nil {
		now := time.Now()
		for _, w := range i.sends {
			w.queued = now
		}
	}
}

// spanContext is the zero one for nil.
func (i *inserting) spanContext() trace.SpanContext {
	if i == nil {
		return trace.SpanContext{}
	}
	return i.span.SpanContext()
}
