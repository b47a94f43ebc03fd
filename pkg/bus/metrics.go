package bus

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/parley-im/parley/pkg/contract"
)

// connMetrics are shared by all connections of one registry.
type connMetrics struct {
	disconnects, reconnects prometheus.Counter
	errors                  *prometheus.CounterVec
}

func newConnMetrics(reg prometheus.Registerer) *connMetrics {
	m := &connMetrics{
		disconnects: register(reg, counter("nats", "disconnects_total", "Connections to NATS lost.")),
		reconnects:  register(reg, counter("nats", "reconnects_total", "Connections to NATS restored.")),
		errors: register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "parley", Subsystem: "nats", Name: "errors_total",
			Help: "Errors outside any call, by kind: slow_consumer (messages were dropped), permission, other.",
		}, []string{"kind"})),
	}
	for _, kind := range []string{"slow_consumer", "permission", "other"} {
		m.errors.WithLabelValues(kind) // a rate needs a zero
	}
	return m
}

// relayMetrics are shared by all relays of one registry.
type relayMetrics struct {
	relayed, errors prometheus.Counter
	pending, leader prometheus.Gauge
	oldest          *oldest
}

func newRelayMetrics(reg prometheus.Registerer) *relayMetrics {
	return &relayMetrics{
		relayed: register(reg, counter("outbox", "relayed_total", "Events put into IM_EVENTS, repeats included.")),
		errors:  register(reg, counter("outbox", "errors_total", "Rounds of the relay that failed, in whole or in part.")),
		pending: register(reg, gauge("outbox", "pending", "Events that wait in the outbox, as last seen; never more than one batch.")),
		leader:  register(reg, gauge("outbox", "leader", "1 while this process relays, 0 while another does.")),
		oldest: register(reg, newOldest("parley_outbox_oldest_age_seconds",
			"How long ago the oldest event happened that waits in the outbox, as last seen; 0 while none waits or another process relays.")),
	}
}

// saw notes what waits in the outbox, the oldest first.
func (m *relayMetrics) saw(events []contract.Event) {
	m.pending.Set(float64(len(events)))
	if len(events) == 0 {
		m.oldest.set(time.Time{})
		return
	}
	at, err := events[0].At()
	if err != nil {
		return // one that is not ours: the age that was known stands
	}
	m.oldest.set(at.Time)
}

// oldest is a gauge of the age of something that waits. The age grows also
// while nobody looks.
type oldest struct {
	prometheus.GaugeFunc
	since *atomic.Int64 // Unix nanoseconds; 0: nothing waits
}

func newOldest(name, help string) *oldest {
	since := new(atomic.Int64)
	return &oldest{since: since, GaugeFunc: prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 {
		if ns := since.Load(); ns != 0 {
			return max(0, time.Since(time.Unix(0, ns)).Seconds())
		}
		return 0
	})}
}

// set notes when the oldest began to wait; the zero time: nothing waits.
func (o *oldest) set(since time.Time) {
	if since.IsZero() {
		o.since.Store(0)
		return
	}
	o.since.Store(since.UnixNano())
}

func counter(subsystem, name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "parley", Subsystem: subsystem, Name: name, Help: help})
}

func gauge(subsystem, name, help string) prometheus.Gauge {
	return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "parley", Subsystem: subsystem, Name: name, Help: help})
}

// register returns c, or the collector of that name which the registry has.
func register[C prometheus.Collector](reg prometheus.Registerer, c C) C {
	err := reg.Register(c)
	var twice prometheus.AlreadyRegisteredError
	if errors.As(err, &twice) {
		return twice.ExistingCollector.(C)
	}
	if err != nil {
		panic(fmt.Sprintf("bus: register metrics: %v", err)) // two metrics of one name: a wrong program
	}
	return c
}
