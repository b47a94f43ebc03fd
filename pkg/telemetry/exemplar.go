package telemetry

import (
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
)

// Observe adds a value to a histogram; when the span is recorded, with its
// trace as exemplar, so that a bucket leads to a request that fell into it.
func Observe(histogram prometheus.Observer, value float64, span trace.SpanContext) {
	if span.IsSampled() {
		if e, ok := histogram.(prometheus.ExemplarObserver); ok {
			e.ObserveWithExemplar(value, prometheus.Labels{"trace_id": span.TraceID().String()})
			return
		}
	}
	histogram.Observe(value)
}
