package bus

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// connMetrics are shared by all connections of one registry.
type connMetrics struct {
	disconnects, reconnects prometheus.Counter
	errors                  *prometheus.CounterVec
}

func newConnMetrics(reg prometheus.Registerer) *connMetrics {
	return &connMetrics{
		disconnects: register(reg, counter("nats", "disconnects_total", "Connections to NATS lost.")),
		reconnects:  register(reg, counter("nats", "reconnects_total", "Connections to NATS restored.")),
		errors: register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "parley", Subsystem: "nats", Name: "errors_total",
			Help: "Errors outside any call, by kind: slow_consumer (messages were dropped), permission, other.",
		}, []string{"kind"})),
	}
}

// relayMetrics are shared by all relays of one registry.
type relayMetrics struct {
	relayed, errors prometheus.Counter
	pending, leader prometheus.Gauge
}

func newRelayMetrics(reg prometheus.Registerer) *relayMetrics {
	return &relayMetrics{
		relayed: register(reg, counter("outbox", "relayed_total", "Events put into IM_EVENTS, repeats included.")),
		errors:  register(reg, counter("outbox", "errors_total", "Rounds of the relay that failed, in whole or in part.")),
		pending: register(reg, gauge("outbox", "pending", "Events that wait in the outbox, as last seen; never more than one batch.")),
		leader:  register(reg, gauge("outbox", "leader", "1 while this process relays, 0 while another does.")),
	}
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
