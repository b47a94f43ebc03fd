package rpc

import (
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/telemetry"
)

// scope names this package's tracers.
const scope = "github.com/parley-im/parley/pkg/rpc"

// codeOK is the label of a call that was answered without a fault.
const codeOK = "ok"

// serverMetrics are shared by all servers of one registry.
type serverMetrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	inFlight prometheus.Gauge
	queued   prometheus.Gauge
}

func newServerMetrics(reg prometheus.Registerer) *serverMetrics {
	return &serverMetrics{
		requests: register(reg, requestCounter("server", "Requests answered, by code; ok is success.")),
		duration: register(reg, durationHistogram("server", "From a request's arrival to its answer, the wait for a worker included.")),
		inFlight: register(reg, gauge("server", "in_flight", "Requests that workers run.")),
		queued:   register(reg, gauge("server", "queue_length", "Requests that wait for a worker.")),
	}
}

func (m *serverMetrics) of(method string) *methodMetrics {
	return newMethodMetrics(m.requests, m.duration, method)
}

// clientMetrics are shared by all clients of one registry.
type clientMetrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	inFlight prometheus.Gauge
	retries  prometheus.Counter
	group    prometheus.Histogram
}

func newClientMetrics(reg prometheus.Registerer) *clientMetrics {
	return &clientMetrics{
		requests: register(reg, requestCounter("client", "Calls ended, by code; ok is success.")),
		duration: register(reg, durationHistogram("client", "From a call to its end, retries included.")),
		inFlight: register(reg, gauge("client", "in_flight", "Calls that wait for an answer.")),
		retries: register(reg, prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: "parley", Subsystem: "rpc_client", Name: "retries_total",
			Help: "Requests sent again because nobody listened, NATS was away, or no answer came.",
		})),
		group: register(reg, prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "parley", Subsystem: "rpc_client", Name: "group_calls",
			Help:    "Calls in one request, of those that travelled together.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 8),
		})),
	}
}

func (m *clientMetrics) of(method string) *methodMetrics {
	return newMethodMetrics(m.requests, m.duration, method)
}

// methodMetrics are one method's, looked up once.
type methodMetrics struct {
	requests *prometheus.CounterVec // by code
	ok       prometheus.Counter
	duration *telemetry.LateHistogram
}

func newMethodMetrics(requests *prometheus.CounterVec, duration *prometheus.HistogramVec, method string) *methodMetrics {
	byCode := requests.MustCurryWith(prometheus.Labels{"method": method})
	return &methodMetrics{
		requests: byCode,
		ok:       byCode.WithLabelValues(codeOK),
		duration: telemetry.Late(duration, method),
	}
}

// ended counts one request; f is nil when it went well.
func (m *methodMetrics) ended(f *fault.Error, took time.Duration, span trace.SpanContext) {
	if f == nil {
		m.ok.Inc()
	} else {
		m.requests.WithLabelValues(string(f.Code)).Inc()
	}
	m.duration.Observe(took.Seconds(), span)
}

func requestCounter(side, help string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "parley", Subsystem: "rpc_" + side, Name: "requests_total", Help: help,
	}, []string{"method", "code"})
}

func durationHistogram(side, help string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: "parley", Subsystem: "rpc_" + side, Name: "duration_seconds", Help: help, Buckets: telemetry.CallBuckets(),
	}, []string{"method"})
}

func gauge(side, name, help string) prometheus.Gauge {
	return prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: "parley", Subsystem: "rpc_" + side, Name: name, Help: help,
	})
}

// register returns c, or the collector of that name which the registry has:
// a process may have several servers and clients.
func register[C prometheus.Collector](reg prometheus.Registerer, c C) C {
	err := reg.Register(c)
	var twice prometheus.AlreadyRegisteredError
	if errors.As(err, &twice) {
		return twice.ExistingCollector.(C)
	}
	if err != nil {
		panic(fmt.Sprintf("rpc: register metrics: %v", err)) // two metrics of one name: a wrong program
	}
	return c
}

// methodLabel is how metrics, spans and logs name a method.
func methodLabel(s contract.Service, name string) string {
	return string(s) + "." + name
}

func spanOptions(kind trace.SpanKind, s contract.Service, name string, more ...attribute.KeyValue) []trace.SpanStartOption {
	return []trace.SpanStartOption{
		trace.WithSpanKind(kind),
		trace.WithAttributes(
			attribute.String("rpc.system", "nats"),
			attribute.String("rpc.service", string(s)),
			attribute.String("rpc.method", name),
		),
		trace.WithAttributes(more...),
	}
}
