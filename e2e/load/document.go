package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// plotsFile is what -sweep has written, among the documents; all other JSON
// files beside it are what -runs has.
const plotsFile = "plots.json"

// Between these lines of docs/performance.md stands what is generated.
const (
	figuresBegin = "<!-- Figures: generated from performance/*.json by \"make generate\"; do not edit. -->\n"
	figuresEnd   = "<!-- End of figures. -->\n"
)

// documentFigures puts the tables of all reports in the directory between the
// marks of a document.
func documentFigures(document []byte, dir string) ([]byte, error) {
	before, rest, found := bytes.Cut(document, []byte(figuresBegin))
	_, after, ended := bytes.Cut(rest, []byte(figuresEnd))
	if !found || !ended {
		return nil, fmt.Errorf("the marks of the figures are missing")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, fmt.Errorf("find results: %w", err)
	}
	var out bytes.Buffer
	var machines []machine
	var rows []string
	var plotted string
	for _, file := range files {
		if filepath.Base(file) == plotsFile {
			var plots sweepResults
			if err := readJSON(file, &plots); err != nil {
				return nil, err
			}
			plotted = fmt.Sprintf("The plots below: %s %s s a point.\n\n", describe([]machine{plots.Machine}), number(plots.Seconds))
			continue
		}
		var all reports
		if err := readJSON(file, &all); err != nil {
			return nil, err
		}
		machines = append(machines, all.Machine)
		for _, s := range summarize(all.Scenarios) {
			rows = append(rows, s.rows()...)
		}
	}
	if len(rows) == 0 {
		out.WriteString("\nNothing has been measured: `make figures` does.\n\n")
	} else {
		fmt.Fprintf(&out, "\nMachine: %s\n\n", describe(machines))
		out.WriteString("| scenario | | median | least–most | floor | ratio (least–most) |\n|---|---|---|---|---|---|\n")
		out.WriteString(strings.Join(rows, ""))
		out.WriteString("\n")
	}
	out.WriteString(plotted)
	return slices.Concat(before, []byte(figuresBegin), out.Bytes(), []byte(figuresEnd), after), nil
}

// describe says what was measured on, and how busy that was.
func describe(machines []machine) string {
	var kinds []string
	var loads []float64
	for _, m := range machines {
		kind := fmt.Sprintf("%d × %s, %s, %s", m.Processors, m.Processor, m.System, m.Go)
		if !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
		loads = append(loads, m.Load)
	}
	return fmt.Sprintf("%s; load average before it began: %s.", strings.Join(kinds, "; "), span(slices.Min(loads), slices.Max(loads)))
}

func span(least, most float64) string {
	if least == most {
		return number(least)
	}
	return number(least) + "–" + number(most)
}

// row is a figure in the table of figures.
type row struct {
	about  string
	figure string
	times  float64 // of the figure, for its unit; 0 is 1
	floor  string  // the floor's figure; may be empty
	ratio  string  // may be empty
}

// documented lists what the table says of each scenario.
func documented(scenario string) []row {
	sends := []row{
		{about: "sends/s, to bare nats.go", figure: "sends_per_second", floor: figNATSSends, ratio: "sends_to_nats"},
		{about: "sends/s, to single inserts", figure: "sends_per_second", floor: figInserts, ratio: "sends_to_inserts"},
		{about: "send to ack p99, ms", figure: "ack_p99_ms"},
		{about: "the same at half that rate", figure: "half_rate_ack_p99_ms"},
		{about: "CPU s per 1,000 sends", figure: "cpu_seconds_per_1000_sends"},
	}
	return map[string][]row{
		"persist": sends,
		"direct":  sends,
		"hotroom": {
			{about: "deliveries/s", figure: "deliveries_per_second", floor: figDeliveries, ratio: "deliveries"},
			{about: "CPU s per 100,000 deliveries", figure: "cpu_seconds_per_100000_deliveries", floor: figDeliveryCPU, ratio: "cpu_per_delivery"},
			{about: "send to deliver p99, ms", figure: "deliver_p99_ms"},
		},
		"mixed": {
			{about: "send to deliver p50, ms; floor: one commit", figure: "deliver_p50_ms", floor: figCommitP50, ratio: "deliver_p50_to_commit_p50"},
			{about: "send to deliver p99, ms; floor: one commit", figure: "deliver_p99_ms", floor: figCommitP50, ratio: "deliver_p99_to_commit_p50"},
		},
		"idle": {
			{about: "KiB of gateways a connection", figure: "memory_bytes_per_connection", times: 1. / 1024, floor: figMemory, ratio: "memory"},
			{about: "CPU s a minute", figure: "cpu_seconds_per_minute"},
		},
		"storm": {
			{about: "s until all are back; floor: bare upgrades", figure: "storm_seconds", floor: figStorm, ratio: "storm"},
			{about: "dial to ready p99, ms", figure: "connect_p99_ms"},
		},
	}[scenario]
}

// rows are the setting's lines of the table.
func (s *summary) rows() []string {
	var lines []string
	what := s.describe()
	cell := func(name string, times float64) (median, leastMost string) {
		f, ok := s.Figures[name]
		if !ok {
			return "", ""
		}
		return number(f.Median * times), span(f.Min*times, f.Max*times)
	}
	for _, r := range documented(s.Scenario) {
		times := r.times
		if times == 0 {
			times = 1
		}
		median, leastMost := cell(r.figure, times)
		if median == "" {
			continue
		}
		floor, _ := cell(floorPrefix+r.floor, times)
		ratio, ratioSpan := cell(ratioPrefix+r.ratio, 1)
		if ratio != "" {
			ratio = fmt.Sprintf("**%s** (%s)", ratio, ratioSpan)
		}
		lines = append(lines, fmt.Sprintf("| %s | %s | %s | %s | %s | %s |\n", what, r.about, median, leastMost, floor, ratio))
		what = ""
	}
	lost, doubled := s.Figures["lost"], s.Figures["doubled"]
	return append(lines, fmt.Sprintf("| %s | lost, doubled in all runs | %s, %s | | | |\n", what, number(lost.Max), number(doubled.Max)))
}

// describe names the setting in a few words.
func (s *summary) describe() string {
	text := fmt.Sprintf("`%s`, %s connections", s.Scenario, thousands(int64(s.Connections)))
	if s.Rate > 0 {
		text += fmt.Sprintf(", %s sends/s", number(s.Rate))
	}
	if s.History > 0 {
		text += fmt.Sprintf(", %s messages before", thousands(s.History))
	}
	runs := "runs"
	if s.Runs == 1 {
		runs = "run"
	}
	return text + fmt.Sprintf("; %d %s of %s s", s.Runs, runs, number(s.Seconds))
}
