// Package metricsdoc writes docs/metrics.md from what running services have
// registered.
package metricsdoc

//go:generate go test . -run TestDoc_is_current -update

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/telemetry"
)

const intro = `# Metrics

<!-- Generated from what the services register, by "make generate"; do not edit. -->

Each service serves these at ` + "`/metrics`" + ` on its operations port (` + "`OPS_ADDR`" + `), in the formats of Prometheus and OpenMetrics, together with
those of Go's runtime (` + "`go_`" + `) and of the process (` + "`process_`" + `). Every one has the label ` + "`service`" + `, since several services may run in one
process; those of the runtime and the process are there once, of ` + "`standalone`" + ` where that runs the services. A method's histogram is there
once the method was called. All counters begin at 0 when a process starts. Durations are in seconds, sizes in bytes. Labels have few values: methods, ops, codes and
routes that the code names; never users, rooms or addresses.

In OpenMetrics, histograms of durations have exemplars with the ` + "`trace_id`" + ` of a request that was traced: Prometheus keeps them with
` + "`--enable-feature=exemplar-storage`" + `, and Grafana links them to the trace.
`

// Service is one service with its metrics.
type Service struct {
	Name    contract.Service
	Metrics []telemetry.Metric
}

// Render returns the whole document.
func Render(services []Service) []byte {
	users := map[string][]string{} // by metric
	described := map[string]telemetry.Metric{}
	for _, s := range services {
		for _, m := range s.Metrics {
			if isRuntime(m.Name) {
				continue
			}
			users[m.Name] = append(users[m.Name], string(s.Name))
			described[m.Name] = m
		}
	}
	sections := map[string][]telemetry.Metric{} // by users
	for name, m := range described {
		title := strings.Join(users[name], ", ")
		sections[title] = append(sections[title], m)
	}
	var titles []string
	for title := range sections {
		titles = append(titles, title)
	}
	slices.SortFunc(titles, func(a, b string) int {
		return cmp.Or(strings.Count(b, ",")-strings.Count(a, ","), strings.Compare(a, b))
	})
	var b strings.Builder
	b.WriteString(intro)
	for _, title := range titles {
		heading := title
		if len(strings.Split(title, ", ")) == len(services) {
			heading = "All services"
		}
		fmt.Fprintf(&b, "\n## %s\n\n| metric | type | labels | |\n|---|---|---|---|\n", heading)
		slices.SortFunc(sections[title], func(a, b telemetry.Metric) int { return strings.Compare(a.Name, b.Name) })
		for _, m := range sections[title] {
			row(&b, m)
		}
	}
	return []byte(b.String())
}

func row(b *strings.Builder, m telemetry.Metric) {
	labels := ""
	if len(m.Labels) > 0 {
		labels = "`" + strings.Join(m.Labels, "`, `") + "`"
	}
	kind := m.Type
	if unit := unitOf(m.Name); unit != "" {
		kind += ", " + unit
	}
	fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", m.Name, kind, labels, strings.ReplaceAll(m.Help, "|", "\\|"))
}

// unitOf reads the unit from a name, as Prometheus's conventions put it there.
func unitOf(name string) string {
	name = strings.TrimSuffix(name, "_total")
	for _, unit := range []string{"seconds", "bytes"} {
		if strings.HasSuffix(name, "_"+unit) {
			return unit
		}
	}
	return ""
}

// isRuntime reports whether a metric is one of those that every Go program
// has.
func isRuntime(name string) bool {
	return strings.HasPrefix(name, "go_") || strings.HasPrefix(name, "process_")
}
