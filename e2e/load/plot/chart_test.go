package plot

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

func sample() Chart {
	return Chart{
		Title: "Sends & <more>", X: Axis{Label: "offered, sends/s"}, Y: Axis{Label: "ms", Log: true},
		Series: []Series{
			{Name: "p50", Points: []Point{{100, 3}, {1000, 4}, {4000, 90}}},
			{Name: "p99", Points: []Point{{100, 9}, {1000, 20}, {4000, 700}}},
			{Name: "offered", Dashed: true, Points: []Point{{100, 1}, {4000, 1000}}},
		},
	}
}

func TestChart_SVG(t *testing.T) {
	picture, err := sample().SVG()
	if err != nil {
		t.Fatal(err)
	}
	again, _ := sample().SVG()
	if !bytes.Equal(picture, again) {
		t.Error("the same chart is another picture")
	}
	var paths, texts int
	for d := xml.NewDecoder(bytes.NewReader(picture)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("no XML: %v\n%s", err, picture)
		}
		if start, ok := token.(xml.StartElement); ok {
			switch start.Name.Local {
			case "path":
				paths++
			case "text":
				texts++
			}
		}
	}
	// Axes; three lines, each also in the legend; six points, two marks of the legend.
	if paths != 1+6+6+2 || texts < 3+6 {
		t.Errorf("%d paths, %d texts", paths, texts)
	}
	for _, want := range []string{"Sends &amp; &lt;more&gt;", "offered, sends/s", "p99: 700 at 4000", "prefers-color-scheme: dark", "dashed"} {
		if !strings.Contains(string(picture), want) {
			t.Errorf("there is no %q", want)
		}
	}
}

func TestChart_SVG_refuses(t *testing.T) {
	for name, change := range map[string]func(*Chart){
		"no series":        func(c *Chart) { c.Series = nil },
		"too many series":  func(c *Chart) { c.Series = slices.Repeat(c.Series, 2) },
		"no points":        func(c *Chart) { c.Series = []Series{{Name: "empty"}} },
		"negative":         func(c *Chart) { c.Series[0].Points[0].X = -1 },
		"0 on a log scale": func(c *Chart) { c.Series[0].Points[0].Y = 0 },
	} {
		c := sample()
		change(&c)
		if _, err := c.SVG(); err == nil || !strings.Contains(err.Error(), "Sends") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestScale(t *testing.T) {
	for name, c := range map[string]struct {
		log    bool
		values []float64
		ticks  []float64
	}{
		"to 4,000":      {values: []float64{100, 4000}, ticks: []float64{0, 1000, 2000, 3000, 4000}},
		"to 0.07":       {values: []float64{0.07}, ticks: []float64{0, 0.02, 0.04, 0.06, 0.08}},
		"nothing but 0": {values: []float64{0, 0}, ticks: []float64{0, 0.2, 0.4, 0.6, 0.8, 1}},
		"3 to 700":      {log: true, values: []float64{3, 700}, ticks: []float64{2, 5, 10, 20, 50, 100, 200, 500, 1000}},
		"one value":     {log: true, values: []float64{10}, ticks: []float64{10, 20}},
		"many decades":  {log: true, values: []float64{0.2, 20_000}, ticks: []float64{1, 10, 100, 1000, 10_000}},
	} {
		s, err := newScale(Axis{Log: c.log}, c.values, 0, 100)
		if err != nil || len(s.ticks) != len(c.ticks) {
			t.Errorf("%s: ticks %v, %v, want %v", name, s.ticks, err, c.ticks)
			continue
		}
		for i, want := range c.ticks {
			if diff := s.ticks[i] - want; diff > 1e-9 || diff < -1e-9 {
				t.Errorf("%s: ticks %v, want %v", name, s.ticks, c.ticks)
			}
		}
		for _, v := range c.values {
			if at := s.at(v); at < 0 || at > 100 {
				t.Errorf("%s: %v is at %v", name, v, at)
			}
		}
	}
}
