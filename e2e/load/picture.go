package main

import (
	"fmt"
	"slices"

	"github.com/parley-im/parley/e2e/load/plot"
)

// picture is a chart of a sweep's points.
type picture struct {
	file  string // in docs/performance, without .svg
	sweep string
	title string
	x, y  plot.Axis
	lines []line
}

// line is one figure over the sweep's values.
type line struct {
	name   string
	figure string  // empty: the value itself, for comparison
	times  float64 // of the figure, for its unit; 0 is 1
}

const (
	sendCost     = "cpu_seconds_per_1000_sends"
	deliveryCost = "cpu_seconds_per_100000_deliveries"
)

// pictures lists all.
func pictures() []picture {
	offered := plot.Axis{Label: "offered, sends/s"}
	latency := plot.Axis{Label: "ms", Log: true}
	quantiles := []line{{name: "to ack, p50", figure: "ack_p50_ms"}, {name: "to ack, p99", figure: "ack_p99_ms"}, {name: "to deliver, p99", figure: "deliver_p99_ms"}}
	cost := func(file, title, x string, log bool, figure string) picture {
		y := "CPU s per 1,000 sends"
		if figure == deliveryCost {
			y = "CPU s per 100,000 deliveries"
		}
		return picture{file: "cost-" + file, sweep: file, title: title, x: plot.Axis{Label: x, Log: log}, y: plot.Axis{Label: y}, lines: []line{{name: "cost", figure: figure}}}
	}
	return []picture{
		{
			file: "persist-throughput", sweep: "persist", title: "Acknowledged sends, groups of 5", x: offered, y: plot.Axis{Label: "acknowledged, sends/s"},
			lines: []line{{name: "acknowledged", figure: "sends_per_second"}, {name: "offered"}},
		},
		{file: "persist-latency", sweep: "persist", title: "From when a send was due, groups of 5", x: offered, y: latency, lines: quantiles},
		{
			file: "hotroom-throughput", sweep: "hotroom", title: "Deliveries in a group of 100", x: offered, y: plot.Axis{Label: "deliveries/s"},
			lines: []line{{name: "delivered", figure: "deliveries_per_second"}, {name: "offered × 100", times: 100}},
		},
		{file: "hotroom-latency", sweep: "hotroom", title: "From when a send was due, a group of 100", x: offered, y: latency, lines: quantiles},
		{
			file: "memory", sweep: "connections", title: "Resident memory of all gateways", x: plot.Axis{Label: "connections, in three rooms each"}, y: plot.Axis{Label: "MiB"},
			lines: []line{{name: "memory", figure: figGatewayMemory, times: 1. / (1 << 20)}},
		},
		cost("rooms", fmt.Sprintf("%s sends/s to ever more groups of 5", number(sweepSends)), "groups", true, sendCost),
		cost("members", fmt.Sprintf("%s deliveries/s in ever larger groups", number(sweepDeliveries)), "members of the group", true, deliveryCost),
		cost("gateways", fmt.Sprintf("%s deliveries/s, a group of 100", number(sweepDeliveries)), "gateways", false, deliveryCost),
		cost("replicas", fmt.Sprintf("%s sends/s, groups of 5", number(sweepSends)), "replicas of chat", false, sendCost),
	}
}

// draw makes the pictures of all sweeps that were taken, by their files' names.
func (r *sweepResults) draw() (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, p := range pictures() {
		i := slices.IndexFunc(r.Sweeps, func(c *curve) bool { return c.Name == p.sweep })
		if i < 0 {
			continue
		}
		chart := plot.Chart{Title: p.title, X: p.x, Y: p.y}
		for _, l := range p.lines {
			chart.Series = append(chart.Series, l.series(r.Sweeps[i].Points))
		}
		svg, err := chart.SVG()
		if err != nil {
			return nil, err
		}
		files[p.file+".svg"] = svg
	}
	return files, nil
}

func (l line) series(points []point) plot.Series {
	s := plot.Series{Name: l.name, Dashed: l.figure == ""}
	times := l.times
	if times == 0 {
		times = 1
	}
	for _, p := range points {
		y, measured := p.Figures[l.figure]
		if l.figure == "" {
			y, measured = p.X, true
		}
		if measured {
			s.Points = append(s.Points, plot.Point{X: p.X, Y: y * times})
		}
	}
	return s
}
