package gateway

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/telemetry"
)

// codeOK is the label of a frame that was carried out.
const codeOK = "ok"

// frameMetrics count what clients ask over WebSocket.
type frameMetrics struct {
	total    *prometheus.CounterVec
	duration *prometheus.HistogramVec
}

func newFrameMetrics(reg prometheus.Registerer) *frameMetrics {
	m := &frameMetrics{
		total: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "parley", Subsystem: "gateway", Name: "frames_total",
			Help: "Frames of clients that were answered, by op (none: not a frame, or an op that is not known) and code; ok is success.",
		}, []string{"op", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "parley", Subsystem: "gateway", Name: "frame_duration_seconds",
			Help:    "From a frame's arrival until its reply was queued, by op.",
			Buckets: telemetry.CallBuckets(),
		}, []string{"op"}),
	}
	reg.MustRegister(m.total, m.duration)
	return m
}

// opMetrics are one op's, looked up once.
type opMetrics struct {
	codes    *prometheus.CounterVec
	ok       prometheus.Counter
	duration *telemetry.LateHistogram
}

func (m *frameMetrics) of(op contract.Op) *opMetrics {
	codes := m.total.MustCurryWith(prometheus.Labels{"op": string(op)})
	return &opMetrics{codes: codes, ok: codes.WithLabelValues(codeOK), duration: telemetry.Late(m.duration, string(op))}
}

// ended counts one frame; f is nil when it was carried out.
func (m *opMetrics) ended(f *fault.Error, took time.Duration, span trace.SpanContext) {
	if f == nil {
		m.ok.Inc()
	} else {
		m.codes.WithLabelValues(string(f.Code)).Inc()
	}
	m.duration.Observe(took.Seconds(), span)
}

// hubMetrics count what the hub delivers.
type hubMetrics struct {
	pushes   map[contract.Op]prometheus.Counter
	heads    prometheus.Counter
	delivery prometheus.Histogram
	age      prometheus.Histogram
}

// newHubMetrics takes what tells how many pushes wait.
func newHubMetrics(reg prometheus.Registerer, waiting func() int) *hubMetrics {
	pushes := prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "parley", Subsystem: "gateway", Name: "pushes_total", Help: "Live pushes that came over NATS for clients here, by op.",
	}, []string{"op"})
	m := &hubMetrics{
		pushes: map[contract.Op]prometheus.Counter{},
		heads: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: "parley", Subsystem: "gateway", Name: "heads_announced_total",
			Help: "Heads of rooms told to the members here because a reading found them to be news: pushes may have been missed.",
		}),
		delivery: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "parley", Subsystem: "gateway", Name: "delivery_duration_seconds",
			Help:    "From when the hub took a push until it was written to a socket; of what a connection's writer takes at once, the push that waited longest.",
			Buckets: prometheus.ExponentialBuckets(.00005, 2.5, 14), // 50 µs to 7 s
		}),
		age: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "parley", Subsystem: "gateway", Name: "message_age_seconds",
			Help:    "From a message's sent_at until it was written to a socket, counted like parley_gateway_delivery_duration_seconds, by the clocks of chat and gateway.",
			Buckets: prometheus.ExponentialBuckets(.001, 2, 14), // 1 ms to 8 s
		}),
	}
	for _, push := range contract.Pushes() {
		if push.Scope != contract.ScopeConn {
			m.pushes[push.Op] = pushes.WithLabelValues(string(push.Op))
		}
	}
	reg.MustRegister(pushes, m.heads, m.delivery, m.age, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "parley", Subsystem: "gateway", Name: "pushes_waiting", Help: "Live pushes that came over NATS and wait to be given to connections.",
	}, func() float64 { return float64(waiting()) }))
	return m
}

// arrived counts a push.
func (m *hubMetrics) arrived(op contract.Op) {
	if c, ok := m.pushes[op]; ok {
		c.Inc()
	}
}

// wrote notes that a push has been written to a socket.
func (m *hubMetrics) wrote(o *outgoing) {
	took := sinceStart() - o.arrived
	telemetry.Observe(m.delivery, took.Seconds(), o.trail.spanContext())
	if o.age > 0 {
		age := time.Duration(o.age)*time.Millisecond + took
		telemetry.Observe(m.age, age.Seconds(), o.trail.spanContext())
	}
}

// repairMetrics count how clients make good what they missed.
type repairMetrics struct{ reads, messages prometheus.Counter }

func newRepairMetrics(reg prometheus.Registerer) *repairMetrics {
	m := &repairMetrics{
		reads: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: "parley", Subsystem: "gateway", Name: "repairs_total",
			Help: "Readings of what follows a seq that found messages: gaps that were repaired, and clients that caught up.",
		}),
		messages: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: "parley", Subsystem: "gateway", Name: "repaired_messages_total", Help: "Messages in the readings that parley_gateway_repairs_total counts.",
		}),
	}
	reg.MustRegister(m.reads, m.messages)
	return m
}

// read notes a page of history.
func (m *repairMetrics) read(req contract.HistoryRequest, page contract.HistoryReply) {
	if req.AfterSeq != nil && len(page.Items) > 0 {
		m.reads.Inc()
		m.messages.Add(float64(len(page.Items)))
	}
}
