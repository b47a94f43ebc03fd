package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the documents")

const docs = "../../docs"

// current compares a file with what it must be, or writes it.
func current(t *testing.T, file string, want []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what is measured says: make generate", file)
	}
}

func TestDocs_are_current(t *testing.T) {
	dir, document := filepath.Join(docs, "performance"), filepath.Join(docs, "performance.md")
	before, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	after, err := documentFigures(before, dir)
	if err != nil {
		t.Fatal(err)
	}
	current(t, document, after)
	var results sweepResults
	if err := readJSON(filepath.Join(dir, plotsFile), &results); err != nil {
		t.Fatal(err)
	}
	files, err := results.draw()
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(pictures()) {
		t.Errorf("%d pictures of %d: a sweep is missing in %s", len(files), len(pictures()), plotsFile)
	}
	for name, svg := range files {
		current(t, filepath.Join(dir, name), svg)
		if !strings.Contains(string(after), "performance/"+name) {
			t.Errorf("%s does not show %s", document, name)
		}
	}
}

func TestDocumentFigures(t *testing.T) {
	dir := t.TempDir()
	empty := []byte("# Title\n" + figuresBegin + "old\n" + figuresEnd + "the rest\n")
	out, err := documentFigures(empty, dir)
	if err != nil || !strings.Contains(string(out), "Nothing has been measured") || strings.Contains(string(out), "old") {
		t.Fatalf("%s, %v", out, err)
	}
	run := func(sends float64) *report {
		rep := &report{
			setting: setting{Scenario: "persist", Connections: 1000, History: 100_000}, Seconds: 19.9996, Sends: 1, SendsPerSecond: sends, Ack: &latency{P99: 12},
			Floors: []*floor{{Figures: map[string]float64{figNATSSends: 2000}}},
		}
		rep.relate()
		return rep
	}
	all := reports{Machine: machine{Processors: 2, Processor: "Z80", System: "CP/M", Go: "go1", Load: 0.5}, Scenarios: []*report{run(1000), run(1500), run(500)}}
	if err := writeJSON(filepath.Join(dir, "persist.json"), all); err != nil {
		t.Fatal(err)
	}
	if err := writeJSON(filepath.Join(dir, plotsFile), sweepResults{Machine: machine{Processors: 1, Processor: "Z81"}, Seconds: 4}); err != nil {
		t.Fatal(err)
	}
	out, err = documentFigures(out, dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"# Title\n", "the rest\n", "Machine: 2 × Z80, CP/M, go1; load average before it began: 0.500.", "plots below: 1 × Z81, , ; load average before it began: 0. 4 s a point.",
		"| `persist`, 1,000 connections, 100,000 messages before; 3 runs of 20 s | sends/s, to bare nats.go | 1,000 | 500–1,500 | 2,000 | **0.500** (0.250–0.750) |\n",
		"|  | send to ack p99, ms | 12 | 12 |  |  |\n", "| lost, doubled in all runs | 0, 0 |",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("there is no %q in\n%s", want, out)
		}
	}
	if strings.Contains(string(out), "half that rate") {
		t.Error("a figure that was not measured is there")
	}
	if again, err := documentFigures(out, dir); err != nil || !bytes.Equal(again, out) {
		t.Errorf("a second time is another: %v", err)
	}
	if _, err := documentFigures([]byte("# Title\n"), dir); err == nil {
		t.Error("a document without marks is taken")
	}
}

func TestSweepResults(t *testing.T) {
	r := &sweepResults{}
	c := &curve{Name: "persist"}
	for _, x := range []float64{100, 1000} {
		c.Points = append(c.Points, point{X: x, Figures: map[string]float64{"sends_per_second": x, "ack_p50_ms": 1, "ack_p99_ms": 2, "deliver_p99_ms": 3}})
	}
	r.put(&curve{Name: "persist"})
	r.put(&curve{Name: "rooms", Points: []point{{X: 20, Figures: map[string]float64{sendCost: 0.1}}}})
	r.put(c)
	if len(r.Sweeps) != 2 || len(r.Sweeps[1].Points) != 2 {
		t.Fatalf("%+v", r.Sweeps)
	}
	files, err := r.draw()
	if err != nil || len(files) != 3 {
		t.Fatalf("%d pictures, %v", len(files), err)
	}
	if !strings.Contains(string(files["persist-throughput.svg"]), "acknowledged: 1000 at 1000") {
		t.Errorf("%s", files["persist-throughput.svg"])
	}
	for _, p := range pictures() {
		if picked, err := pickSweeps(p.sweep); err != nil || len(picked) != 1 {
			t.Errorf("%s is drawn of %q, which nobody takes", p.file, p.sweep)
		}
	}
}
