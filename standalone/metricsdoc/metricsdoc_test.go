package metricsdoc_test

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"

	"github.com/parley-im/parley/standalone/metricsdoc"
)

var update = flag.Bool("update", false, "write docs/metrics.md instead of checking it")

const path = "../../docs/metrics.md"

func TestDoc_is_current(t *testing.T) {
	services := running(t)
	want := metricsdoc.Render(services)
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("docs/metrics.md does not match what the services register: run make generate")
	}
	for _, s := range services {
		lint(t, s)
		for _, m := range s.Metrics {
			documented := bytes.Contains(got, []byte("| `"+m.Name+"` |"))
			if own := strings.HasPrefix(m.Name, "parley_"); own != documented {
				t.Errorf("%s of %s: documented: %v", m.Name, s.Name, documented)
			}
		}
	}
}

// lint holds all of a service's metrics against Prometheus's conventions, also
// those that have no value yet.
func lint(t *testing.T, s metricsdoc.Service) {
	t.Helper()
	var families []*dto.MetricFamily
	for _, m := range s.Metrics {
		if !strings.HasPrefix(m.Name, "parley_") {
			continue
		}
		kind := dto.MetricType(dto.MetricType_value[strings.ToUpper(m.Type)])
		metric := &dto.Metric{}
		for _, label := range m.Labels {
			metric.Label = append(metric.Label, &dto.LabelPair{Name: &label})
		}
		families = append(families, &dto.MetricFamily{Name: &m.Name, Help: &m.Help, Type: &kind, Metric: []*dto.Metric{metric}})
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s of %s: %s", p.Metric, s.Name, p.Text)
	}
}
