package main

import (
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// reports are the results of one start of load.
type reports struct {
	Machine   machine    `json:"machine"`
	Lost      int        `json:"lost"` // of all scenarios together
	Doubled   int64      `json:"doubled"`
	Scenarios []*report  `json:"scenarios"`         // every run
	Medians   []*summary `json:"medians,omitempty"` // of several runs
}

func (all *reports) add(rep *report) {
	all.Lost += rep.Lost
	all.Doubled += rep.Doubled
	all.Scenarios = append(all.Scenarios, rep)
}

// The loops.
const (
	closedLoop = "closed" // the next send follows an acknowledgement
	openLoop   = "open"   // sends come at a rate
)

// report is what one scenario measured. Per-process figures are missing when
// no process was watched, latencies when there were none.
type report struct {
	setting
	Seconds float64 `json:"seconds"`

	Sends               int64   `json:"sends"` // acknowledged
	SendsPerSecond      float64 `json:"sends_per_second"`
	Deliveries          int64   `json:"deliveries"`
	DeliveriesPerSecond float64 `json:"deliveries_per_second"`

	Ack         *latency  `json:"ack_ms,omitempty"`           // from when a send was due
	Deliver     *latency  `json:"deliver_ms,omitempty"`       // the same, at each member
	Connect     *latency  `json:"connect_ms,omitempty"`       // from dial to ready
	CaughtUp    *latency  `json:"caught_up_ms,omitempty"`     // from dial until all that was missed is there
	HalfRateAck *latency  `json:"half_rate_ack_ms,omitempty"` // as Ack, in an open loop of half the sends that a closed one made
	Storms      []float64 `json:"storm_seconds,omitempty"`

	Lost       int            `json:"lost"`       // acknowledged, and never at a member
	Doubled    int64          `json:"doubled"`    // pushed twice to a device, or stored twice
	Repaired   int64          `json:"repaired"`   // missed by pushes, and fetched
	Unanswered int            `json:"unanswered"` // sends without an answer at the end
	Errors     map[string]int `json:"errors"`     // by code

	Processes             []processReport `json:"processes,omitempty"`
	CPUPer1000Sends       float64         `json:"cpu_seconds_per_1000_sends,omitempty"`
	CPUPer100kDeliveries  float64         `json:"cpu_seconds_per_100000_deliveries,omitempty"`
	CPUPerMinute          float64         `json:"cpu_seconds_per_minute,omitempty"`
	MemoryPerConnection   float64         `json:"memory_bytes_per_connection,omitempty"` // of gateways, if any are known as such
	GeneratorCPUPerMinute float64         `json:"generator_cpu_seconds_per_minute"`

	Floors []*floor           `json:"floors,omitempty"` // before and after
	Ratios map[string]float64 `json:"ratios,omitempty"` // to the floors' means
}

// processReport is what a process used. CPU is within the measured time;
// memory grew from before the first connection to the end.
type processReport struct {
	PID          int     `json:"pid"`
	Name         string  `json:"name"`
	CPUSeconds   float64 `json:"cpu_seconds"`
	MemoryBefore int64   `json:"memory_before"`
	MemoryAfter  int64   `json:"memory_after"`
}

// latency is a distribution, in milliseconds.
type latency struct {
	Count int64   `json:"count"`
	P50   float64 `json:"p50"`
	P90   float64 `json:"p90"`
	P99   float64 `json:"p99"`
	P999  float64 `json:"p99_9"`
	Max   float64 `json:"max"`
}

func latencyOf(h *hdrhistogram.Histogram) *latency {
	if h == nil {
		return nil
	}
	at := func(percentile float64) float64 { return float64(h.ValueAtPercentile(percentile)) / 1000 }
	return &latency{Count: h.TotalCount(), P50: at(50), P90: at(90), P99: at(99), P999: at(99.9), Max: float64(h.Max()) / 1000}
}

func (s *stage) report(r *run, unanswered int, before []usage, u used) *report {
	sum := r.meter.sum()
	lost, doubled := r.count(unanswered)
	rep := &report{
		setting: setting{
			Scenario: s.name, Loop: closedLoop, Gateways: len(s.town.urls), Replicas: s.replicas,
			Connections: len(r.devices), Rooms: len(r.rooms), Members: s.members, Senders: min(s.senders, len(r.devices)),
			Rate: s.rate, Text: s.text, History: s.history,
		},
		Seconds: min(u.took, s.duration).Seconds(),
		Sends:   sum.Sends, Deliveries: sum.Deliveries,
		Ack:      latencyOf(r.meter.merged(func(s *stripe) *hdrhistogram.Histogram { return s.ack })),
		Deliver:  latencyOf(r.meter.merged(func(s *stripe) *hdrhistogram.Histogram { return s.deliver })),
		Connect:  latencyOf(r.meter.merged(func(s *stripe) *hdrhistogram.Histogram { return s.connect })),
		CaughtUp: latencyOf(r.meter.merged(func(s *stripe) *hdrhistogram.Histogram { return s.caughtUp })),
		Lost:     lost, Doubled: sum.Doubled + doubled, Repaired: sum.Repaired,
		Unanswered: unanswered, Errors: r.meter.failures(),
	}
	if s.rate > 0 {
		rep.Loop = openLoop
	}
	for _, took := range r.stormed {
		rep.Storms = append(rep.Storms, took.Seconds())
	}
	rep.SendsPerSecond = float64(sum.Sends) / rep.Seconds
	rep.DeliveriesPerSecond = float64(sum.Deliveries) / rep.Seconds
	rep.GeneratorCPUPerMinute = u.self.Seconds() / u.took.Minutes()
	rep.addProcesses(s.watched, before, u)
	return rep
}

// addProcesses works out what the watched processes used for each send,
// delivery and connection.
func (rep *report) addProcesses(watched []process, before []usage, u used) {
	var cpu time.Duration
	var gateways, all int64
	for i, p := range watched {
		spent := u.until[i].CPU - u.from[i].CPU
		cpu += spent
		grown := u.until[i].Memory - before[i].Memory
		all += grown
		if strings.HasPrefix(p.name, "gateway") {
			gateways += grown
		}
		rep.Processes = append(rep.Processes, processReport{
			PID: p.pid, Name: p.name, CPUSeconds: spent.Seconds(),
			MemoryBefore: before[i].Memory, MemoryAfter: u.until[i].Memory,
		})
	}
	if len(watched) == 0 {
		return
	}
	if gateways == 0 {
		gateways = all
	}
	rep.MemoryPerConnection = float64(gateways) / float64(rep.Connections)
	rep.CPUPerMinute = cpu.Seconds() / u.took.Minutes()
	if rep.Sends > 0 {
		rep.CPUPer1000Sends = cpu.Seconds() / float64(rep.Sends) * 1000
	}
	if rep.Deliveries > 0 {
		rep.CPUPer100kDeliveries = cpu.Seconds() / float64(rep.Deliveries) * 100_000
	}
}
