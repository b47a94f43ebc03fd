package telemetry

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/parley-im/parley/pkg/fault"
)

// StoreTimer measures the calls of a service's store, by verb.
type StoreTimer struct {
	tracer   trace.Tracer
	system   attribute.KeyValue
	answers  []error
	duration *prometheus.HistogramVec
	errors   *prometheus.CounterVec
}

// NewStoreTimer measures the store at the URL. The errors given are answers of
// a store that works, such as that a record was changed meanwhile; they do not
// count as errors.
func (t *Telemetry) NewStoreTimer(url string, answers ...error) *StoreTimer {
	s := &StoreTimer{
		tracer:  t.Tracer.Tracer("github.com/parley-im/parley/pkg/telemetry"),
		system:  StoreSystem(url),
		answers: answers,
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "parley", Subsystem: "store", Name: "duration_seconds", Help: "Duration of one call of the store, by what was asked of it.",
			Buckets: CallBuckets(),
		}, []string{"verb"}),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "parley", Subsystem: "store", Name: "errors_total", Help: "Calls that the store did not carry out, by what was asked of it.",
		}, []string{"verb"}),
	}
	t.Metrics.MustRegister(s.duration, s.errors)
	return s
}

// StoreSystem is the attribute that names a store's engine in spans.
func StoreSystem(url string) attribute.KeyValue {
	engine, _, _ := strings.Cut(url, ":")
	return attribute.String("db.system.name", strings.TrimSuffix(engine, "+srv"))
}

// Took notes a call that began then and has just ended, with the error that
// err points to. A call on behalf of a recorded span becomes a span below it,
// after the fact: others cost nothing. Defer it as the first act of the call:
//
//	defer s.Took(ctx, "user", time.Now(), &err)
func (s *StoreTimer) Took(ctx context.Context, verb string, began time.Time, err *error) {
	span := trace.SpanContextFromContext(ctx)
	Observe(s.duration.WithLabelValues(verb), time.Since(began).Seconds(), span)
	failed := s.failed(*err)
	if failed {
		s.errors.WithLabelValues(verb).Inc()
	}
	if !span.IsSampled() {
		return
	}
	_, call := s.tracer.Start(ctx, "store."+verb, trace.WithTimestamp(began), trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(s.system, attribute.String("db.operation.name", verb)))
	if failed {
		call.SetStatus(codes.Error, string(fault.From(*err).Code)) // its text may have what users typed
	}
	call.End()
}

// failed leaves out callers who left.
func (s *StoreTimer) failed(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) {
		return false
	}
	for _, answer := range s.answers {
		if errors.Is(err, answer) {
			return false
		}
	}
	return true
}
