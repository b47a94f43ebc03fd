package main

import (
	"fmt"
	"maps"
	"slices"
)

// figure is one number that a scenario measured; its name says its unit, as
// in the JSON of a report.
type figure struct {
	name  string
	value float64
}

// figures lists what of a report may be compared between runs, in the order
// of the table. What was not measured is not there.
func (rep *report) figures() []figure {
	var list []figure
	add := func(name string, value float64, measured bool) {
		if measured {
			list = append(list, figure{name, value})
		}
	}
	add("sends_per_second", rep.SendsPerSecond, rep.Sends > 0)
	add("deliveries_per_second", rep.DeliveriesPerSecond, rep.Deliveries > 0)
	for _, l := range rep.latencies() {
		add(l.name+"_p50_ms", l.P50, true)
		add(l.name+"_p90_ms", l.P90, true)
		add(l.name+"_p99_ms", l.P99, true)
		add(l.name+"_p99_9_ms", l.P999, true)
	}
	add("storm_seconds", middle(rep.Storms), len(rep.Storms) > 0)
	watched := len(rep.Processes) > 0
	add("cpu_seconds_per_1000_sends", rep.CPUPer1000Sends, watched && rep.Sends > 0)
	add("cpu_seconds_per_100000_deliveries", rep.CPUPer100kDeliveries, watched && rep.Deliveries > 0)
	add("cpu_seconds_per_minute", rep.CPUPerMinute, watched)
	add("memory_bytes_per_connection", rep.MemoryPerConnection, watched)
	add("generator_cpu_seconds_per_minute", rep.GeneratorCPUPerMinute, true)
	add("lost", float64(rep.Lost), true)
	add("doubled", float64(rep.Doubled), true)
	add("repaired", float64(rep.Repaired), true)
	for _, name := range slices.Sorted(maps.Keys(rep.Ratios)) {
		add(ratioPrefix+name, rep.Ratios[name], true)
	}
	floor := rep.floorMeans()
	for _, name := range slices.Sorted(maps.Keys(floor)) {
		add(floorPrefix+name, floor[name], true)
	}
	return list
}

// How figures of a report's ratios and floors are named.
const (
	ratioPrefix = "ratio_"
	floorPrefix = "floor_"
)

// named is a distribution with the name of its figures.
type named struct {
	name, about string
	*latency
}

// latencies lists those that were measured.
func (rep *report) latencies() []named {
	all := []named{
		{"ack", "send to ack", rep.Ack},
		{"deliver", "send to deliver", rep.Deliver},
		{"half_rate_ack", "ack at half that rate", rep.HalfRateAck},
		{"connect", "dial to ready", rep.Connect},
		{"caught_up", "dial to caught up", rep.CaughtUp},
	}
	return slices.DeleteFunc(all, func(l named) bool { return l.latency == nil })
}

// spread is a figure over several runs.
type spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

func (s spread) String() string {
	return fmt.Sprintf("%s (%s–%s)", number(s.Median), number(s.Min), number(s.Max))
}

// spreadOf is of one value at least.
func spreadOf(values []float64) spread {
	return spread{Median: middle(values), Min: slices.Min(values), Max: slices.Max(values)}
}

// middle is the median; 0 of nothing.
func middle(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	switch n := len(sorted); {
	case n == 0:
		return 0
	case n%2 == 0:
		return (sorted[n/2-1] + sorted[n/2]) / 2
	default:
		return sorted[n/2]
	}
}

// number writes three digits that count, and thousands apart; v is not
// negative.
func number(v float64) string {
	switch {
	case v == float64(int64(v)) || v >= 1000:
		return thousands(int64(v + 0.5))
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v >= 1:
		return fmt.Sprintf("%.2f", v)
	default:
		return fmt.Sprintf("%.3f", v)
	}
}

func thousands(n int64) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}
