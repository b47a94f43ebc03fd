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
	ratio := func(name string, value float64, figure string) {
		var sum, n float64
		for _, f := range rep.Floors {
			if v := f.Figures[figure]; v > 0 {
				sum, n = sum+v, n+1
			}
		}
		if n > 0 && value > 0 {
			rep.Ratios[name] = value / (sum / n)
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
	if n := len(rep.Storms); n > 0 {
		ratio("storm", slices.Sorted(slices.Values(rep.Storms))[n/2], figStorm)
	}
}
