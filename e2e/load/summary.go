package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"
)

// setting is what must be the same for reports to be runs of one thing.
type setting struct {
	Scenario    string  `json:"scenario"`
	Loop        string  `json:"loop"` // closed or open
	Gateways    int     `json:"gateways"`
	Replicas    int     `json:"replicas,omitempty"` // of chat; 0: not known
	Connections int     `json:"connections"`
	Rooms       int     `json:"rooms"`
	Members     int     `json:"members"` // of a group
	Senders     int     `json:"senders"`
	Rate        float64 `json:"rate,omitempty"` // offered, of an open loop
	Text        int     `json:"text"`
	History     int64   `json:"history,omitempty"`
}

// summary is what several runs of one setting say together.
type summary struct {
	setting
	Runs    int               `json:"runs"`
	Seconds float64           `json:"seconds"` // of each, to the whole: of the first
	Figures map[string]spread `json:"figures"`
	names   []string          // of the figures, in order
}

// summarize puts runs of the same setting together, in the order of their
// first runs. A figure counts over the runs that have it.
func summarize(runs []*report) []*summary {
	var all []*summary
	values := map[*summary]map[string][]float64{}
	for _, rep := range runs {
		i := slices.IndexFunc(all, func(s *summary) bool { return s.setting == rep.setting })
		if i < 0 {
			i = len(all)
			all = append(all, &summary{setting: rep.setting, Seconds: math.Round(rep.Seconds), Figures: map[string]spread{}})
			values[all[i]] = map[string][]float64{}
		}
		s := all[i]
		s.Runs++
		for _, f := range rep.figures() {
			if values[s][f.name] == nil {
				s.names = append(s.names, f.name)
			}
			values[s][f.name] = append(values[s][f.name], f.value)
		}
	}
	for s, figures := range values {
		for name, v := range figures {
			s.Figures[name] = spreadOf(v)
		}
	}
	return all
}

// print writes it for people.
func (s *summary) print(out io.Writer) {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	defer t.Flush()
	fmt.Fprintf(t, "\n%s, %d runs: median (least–most)\n", s.Scenario, s.Runs)
	for _, name := range s.names {
		fmt.Fprintf(t, "  %s\t%s\n", name, s.Figures[name])
	}
}
