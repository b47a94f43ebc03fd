package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// floorTime is the most that one floor takes: it is measured twice.
const floorTime = 5 * time.Second

// floor is what a part of the work costs without Parley, on the same machine
// a moment before or after.
type floor struct {
	What    string             `json:"what"`
	Figures map[string]float64 `json:"figures"`
}

func (f *floor) String() string {
	var figures []string
	for _, name := range slices.Sorted(maps.Keys(f.Figures)) {
		figures = append(figures, fmt.Sprintf("%s %.4g", name, f.Figures[name]))
	}
	return f.What + ": " + strings.Join(figures, ", ")
}

// The figures of floors.
const (
	figDeliveries   = "deliveries_per_second"
	figDeliveryCPU  = "cpu_seconds_per_100000_deliveries"
	figMemory       = "memory_bytes_per_connection"
	figStorm        = "storm_seconds"
	figNATSSends    = "nats_sends_per_second"
	figBatchInserts = "batch_inserts_per_second"
	figInserts      = "inserts_per_second"
	figCommitP50    = "commit_p50_ms"
)

// relate has the report say how it stands to the means of its floors.
func (rep *report) relate() {
	rep.Ratios = map[string]float64{}
	means := rep.floorMeans()
	ratio := func(name string, value float64, figure string) {
		if mean := means[figure]; mean > 0 && value > 0 {
			rep.Ratios[name] = value / mean
		}
	}
	ratio("deliveries", rep.DeliveriesPerSecond, figDeliveries)
	ratio("cpu_per_delivery", rep.CPUPer100kDeliveries, figDeliveryCPU)
	ratio("memory", rep.MemoryPerConnection, figMemory)
	ratio("sends_to_nats", rep.SendsPerSecond, figNATSSends)
	ratio("sends_to_batch_inserts", rep.SendsPerSecond, figBatchInserts)
	ratio("sends_to_inserts", rep.SendsPerSecond, figInserts)
	if rep.Deliver != nil && rep.Loop == openLoop { // a closed loop is as slow as it is full
		ratio("deliver_p50_to_commit_p50", rep.Deliver.P50, figCommitP50)
		ratio("deliver_p99_to_commit_p50", rep.Deliver.P99, figCommitP50)
	}
	ratio("storm", middle(rep.Storms), figStorm)
}

// floorMeans are the figures of the floors before and after, put together.
func (rep *report) floorMeans() map[string]float64 {
	values := map[string][]float64{}
	for _, f := range rep.Floors {
		for name, v := range f.Figures {
			values[name] = append(values[name], v)
		}
	}
	means := make(map[string]float64, len(values))
	for name, of := range values {
		means[name] = mean(of)
	}
	return means
}

func mean(values []float64) (sum float64) {
	for _, v := range values {
		sum += v / float64(len(values))
	}
	return sum
}
