package gateway

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"github.com/parley-im/parley/pkg/telemetry"
)

// unmatched is the route of requests that have none: their paths are the
// client's invention and must not become labels.
const unmatched = "none"

// httpMetrics counts requests.
type httpMetrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	inFlight prometheus.Gauge
}

func newHTTPMetrics(reg prometheus.Registerer) *httpMetrics {
	m := &httpMetrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "parley", Subsystem: "http", Name: "requests_total", Help: "Requests answered, by route and status.",
		}, []string{"route", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "parley", Subsystem: "http", Name: "duration_seconds", Help: "From a request's arrival to its answer.",
			Buckets: telemetry.CallBuckets(),
		}, []string{"route"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: "parley", Subsystem: "http", Name: "in_flight", Help: "Requests that wait for their answer.",
		}),
	}
	reg.MustRegister(m.requests, m.duration, m.inFlight)
	return m
}

func (m *httpMetrics) ended(route string, status int, took time.Duration, span trace.SpanContext) {
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Inc()
	telemetry.Observe(m.duration.WithLabelValues(route), took.Seconds(), span)
}

// limitMetrics counts what limits do.
type limitMetrics struct {
	refused   *prometheus.CounterVec
	unchecked *prometheus.CounterVec
	away      prometheus.Gauge
}

func newLimitMetrics(reg prometheus.Registerer) *limitMetrics {
	m := &limitMetrics{
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "parley", Subsystem: "limit", Name: "refused_total", Help: "Calls refused because a limit was reached.",
		}, []string{"bucket"}),
		unchecked: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "parley", Subsystem: "limit", Name: "unchecked_total", Help: "Calls let pass because Redis was away.",
		}, []string{"bucket"}),
		away: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: "parley", Subsystem: "limit", Name: "redis_away", Help: "1 while Redis does not answer.",
		}),
	}
	for _, b := range (Limits{}).buckets().all() { // a rate needs a zero
		m.refused.WithLabelValues(b.name)
		m.unchecked.WithLabelValues(b.name)
	}
	reg.MustRegister(m.refused, m.unchecked, m.away)
	return m
}
