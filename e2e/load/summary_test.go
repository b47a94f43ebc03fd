package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestSummarize(t *testing.T) {
	run := func(scenario string, sends float64, p99 float64) *report {
		rep := &report{setting: setting{Scenario: scenario}, Sends: 1, SendsPerSecond: sends, Floors: []*floor{
			{Figures: map[string]float64{figNATSSends: 100}}, {Figures: map[string]float64{figNATSSends: 300}},
		}}
		if p99 > 0 {
			rep.Ack = &latency{P99: p99}
		}
		rep.relate()
		return rep
	}
	all := summarize([]*report{run("a", 300, 5), run("b", 1, 0), run("a", 100, 7), run("a", 200, 0), run("b", 2, 0)})
	if len(all) != 2 || all[0].Scenario != "a" || all[0].Runs != 3 || all[1].Runs != 2 {
		t.Fatalf("got %+v", all)
	}
	for name, want := range map[string]spread{
		"sends_per_second":            {200, 100, 300},
		"ack_p99_ms":                  {6, 5, 7}, // of the runs that have it
		"ratio_sends_to_nats":         {1, 0.5, 1.5},
		"floor_nats_sends_per_second": {200, 200, 200},
		"lost":                        {},
	} {
		if got := all[0].Figures[name]; got != want {
			t.Errorf("%s is %+v, want %+v", name, got, want)
		}
	}
	if _, there := all[0].Figures["deliveries_per_second"]; there {
		t.Error("a figure that nobody measured is there")
	}
	if got := all[1].Figures["sends_per_second"].Median; got != 1.5 {
		t.Errorf("the median of two is %v", got)
	}
	var table bytes.Buffer
	all[0].print(&table)
	if !strings.Contains(table.String(), "200 (100–300)") {
		t.Errorf("printed %s", &table)
	}
	data, err := json.Marshal(all[0])
	if err != nil || !strings.Contains(string(data), `"scenario":"a"`) || !strings.Contains(string(data), `"sends_per_second":{"median":200,"min":100,"max":300}`) {
		t.Errorf("%s, %v", data, err)
	}
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 12: "12", 0.12345: "0.123", 1.2345: "1.23", 45.67: "45.7", 123.4: "123", 1234.5: "1,235", 12_345_678: "12,345,678",
	} {
		if got := number(v); got != want {
			t.Errorf("%v is written %q, want %q", v, got, want)
		}
	}
}
