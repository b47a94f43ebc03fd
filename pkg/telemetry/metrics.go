package telemetry

import (
	"context"
	"fmt"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	dto "github.com/prometheus/client_model/go"
)

// Gather makes Metrics a prometheus.Gatherer.
func (m *Metrics) Gather() ([]*dto.MetricFamily, error) { return m.registry.Gather() }

// describe adds what every service tells: its build.
func (m *Metrics) describe(version, revision string) error {
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "parley_build_info",
		Help:        "1, labelled with what the binary was built from.",
		ConstLabels: prometheus.Labels{"version": version, "revision": revision},
	})
	build.Set(1)
	if err := m.Register(build); err != nil {
		return fmt.Errorf("register metrics: %w", err)
	}
	return nil
}

// describeProcess adds what there is once in a process: itself and its Go
// runtime.
func (m *Metrics) describeProcess() {
	m.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
}

// checks tells the outcome of each of Health's checks, asked for when the
// metrics are read, and whether the service is leaving.
type checks struct {
	health   *Health
	holds    *prometheus.Desc
	draining *prometheus.Desc
}

func newChecks(health *Health) *checks {
	return &checks{
		health: health,
		holds: prometheus.NewDesc("parley_health_check",
			"1 while the check of /readyz holds, else 0; readiness does not depend on those that inform.", []string{"check", "informs"}, nil),
		draining: prometheus.NewDesc("parley_draining", "1 from when the process was told to stop, else 0: it takes no new work.", nil, nil),
	}
}

// Describe makes checks a prometheus.Collector.
func (c *checks) Describe(descs chan<- *prometheus.Desc) {
	descs <- c.holds
	descs <- c.draining
}

// Collect makes checks a prometheus.Collector. Checks of one name count as
// one, which holds when all do.
func (c *checks) Collect(metrics chan<- prometheus.Metric) {
	type label struct {
		name    string
		informs bool
	}
	holds := map[label]float64{}
	for _, state := range c.health.States(context.Background()) { // bounded by checkWait
		l := label{state.Name, state.Informs}
		if before, seen := holds[l]; state.Err == nil && (!seen || before == 1) {
			holds[l] = 1
		} else {
			holds[l] = 0
		}
	}
	for l, value := range holds {
		metrics <- prometheus.MustNewConstMetric(c.holds, prometheus.GaugeValue, value, l.name, strconv.FormatBool(l.informs))
	}
	draining := 0.0
	if c.health.Draining() {
		draining = 1
	}
	metrics <- prometheus.MustNewConstMetric(c.draining, prometheus.GaugeValue, draining)
}
