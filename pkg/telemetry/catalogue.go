package telemetry

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// Metric is one metric as it was registered.
type Metric struct {
	Name   string
	Type   string   // counter, gauge or histogram
	Labels []string // besides service, which all have
	Help   string
}

// Register adds a collector; it makes Metrics a prometheus.Registerer.
func (m *Metrics) Register(c prometheus.Collector) error {
	if err := m.labelled.Register(c); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.registered = append(m.registered, c)
	return nil
}

// MustRegister is Register for what only a wrong program can get refused: then
// it panics.
func (m *Metrics) MustRegister(collectors ...prometheus.Collector) {
	for _, c := range collectors {
		if err := m.Register(c); err != nil {
			panic(fmt.Sprintf("register metrics: %v", err))
		}
	}
}

// Unregister takes a collector out, and out of the catalogue.
func (m *Metrics) Unregister(c prometheus.Collector) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.registered = slices.DeleteFunc(m.registered, func(r prometheus.Collector) bool { return r == c })
	return m.labelled.Unregister(c)
}

// Catalogue lists every metric that is registered, sorted by name, also those
// of which there is no value yet. It is an error when one can't be described.
func (m *Metrics) Catalogue() ([]Metric, error) {
	families, err := m.registry.Gather()
	if err != nil {
		return nil, err
	}
	types := map[string]string{} // of those that have values
	for _, f := range families {
		types[f.GetName()] = strings.ToLower(f.GetType().String())
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []Metric
	for _, c := range m.registered {
		for _, desc := range descriptions(c) {
			metric, err := read(desc)
			if err != nil {
				return nil, err
			}
			if metric.Type = vectorType(c); metric.Type == "" {
				metric.Type = types[metric.Name]
			}
			if metric.Type == "" {
				return nil, fmt.Errorf("metric %s: of which type it is shows only with a value", metric.Name)
			}
			all = append(all, metric)
		}
	}
	slices.SortFunc(all, func(a, b Metric) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

func descriptions(c prometheus.Collector) []*prometheus.Desc {
	descs := make(chan *prometheus.Desc)
	go func() { // ends when the collector has described itself: all is read below
		c.Describe(descs)
		close(descs)
	}()
	var list []*prometheus.Desc
	for d := range descs {
		list = append(list, d)
	}
	return list
}

// vectorType is the type of a metric with labels, which may have no value yet.
func vectorType(c prometheus.Collector) string {
	switch c.(type) {
	case *prometheus.CounterVec:
		return "counter"
	case *prometheus.GaugeVec:
		return "gauge"
	case *prometheus.HistogramVec:
		return "histogram"
	default:
		return ""
	}
}

// described is what prometheus.Desc tells of itself, and nowhere else.
var described = regexp.MustCompile(`^Desc\{fqName: ("(?:[^"\\]|\\.)*"), help: ("(?:[^"\\]|\\.)*"), .*constLabels: \{(.*)\}, variableLabels: \{(.*)\}\}$`)

// constant is a label that has one value in a process.
var constant = regexp.MustCompile(`(\w+)="`)

func read(desc *prometheus.Desc) (Metric, error) {
	found := described.FindStringSubmatch(desc.String())
	if found == nil {
		return Metric{}, fmt.Errorf("a metric that can't be described: %s", desc)
	}
	name, err := strconv.Unquote(found[1])
	if err != nil {
		return Metric{}, fmt.Errorf("name of a metric: %w", err)
	}
	help, err := strconv.Unquote(found[2])
	if err != nil {
		return Metric{}, fmt.Errorf("help of %s: %w", name, err)
	}
	m := Metric{Name: name, Help: help}
	for _, label := range constant.FindAllStringSubmatch(found[3], -1) {
		m.Labels = append(m.Labels, label[1])
	}
	if found[4] != "" {
		m.Labels = append(m.Labels, strings.Split(found[4], ",")...)
	}
	return m, nil
}
