package deploy

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
)

// samples are series with one sample a minute, which Prometheus's own engine
// can ask. They stand in for its database, which would bring the clients of
// every cloud along.
type samples struct {
	engine *promql.Engine
	series []promql.Series
}

// newSamples reads series as promtool's tests write them: name{label="x"}
// 0+10x60 is 0, 10, 20… for an hour, _ a minute without a sample.
func newSamples(t *testing.T, series ...string) *samples {
	t.Helper()
	p := parser.NewParser(parser.Options{})
	s := &samples{engine: promql.NewEngine(promql.EngineOpts{MaxSamples: 1e6, Timeout: time.Minute, Parser: p})}
	t.Cleanup(func() { _ = s.engine.Close() })
	for _, text := range series {
		name, values, err := p.ParseSeriesDesc(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		one := promql.Series{Metric: name}
		for minute, v := range values {
			if !v.Omitted {
				one.Floats = append(one.Floats, promql.FPoint{T: at(minute).UnixMilli(), F: v.Value})
			}
		}
		s.series = append(s.series, one)
	}
	return s
}

// at is a minute of the samples.
func at(minute int) time.Time { return time.Unix(int64(minute)*60, 0) }

// ask evaluates an expression at a minute.
func (s *samples) ask(t *testing.T, expr string, minute int) promql.Vector {
	t.Helper()
	query, err := s.engine.NewInstantQuery(t.Context(), s, nil, expr, at(minute))
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	defer query.Close()
	result, err := query.Exec(t.Context()).Vector()
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	return slices.Clone(result)
}

// record adds what a recording rule yields at a minute.
func (s *samples) record(t *testing.T, rule rulefmt.Rule, minute int) {
	t.Helper()
	for _, found := range s.ask(t, rule.Expr, minute) {
		name := labels.NewBuilder(found.Metric).Set(model.MetricNameLabel, rule.Record).Labels()
		i := slices.IndexFunc(s.series, func(one promql.Series) bool { return labels.Equal(one.Metric, name) })
		if i < 0 {
			i = len(s.series)
			s.series = append(s.series, promql.Series{Metric: name})
		}
		s.series[i].Floats = append(s.series[i].Floats, promql.FPoint{T: at(minute).UnixMilli(), F: found.F})
	}
}

// fires evaluates the rules minute by minute, as Prometheus does, and returns
// the first minute at which the alert fires, or -1.
func (s *samples) fires(t *testing.T, rules []rulefmt.Rule, alert string, minutes int) int {
	t.Helper()
	since := map[string]int{} // minute from which it has been pending, by labels
	for minute := range minutes {
		for _, rule := range rules {
			if rule.Record != "" {
				s.record(t, rule, minute)
			}
			if rule.Alert != alert {
				continue
			}
			pending := map[string]int{}
			for _, found := range s.ask(t, rule.Expr, minute) {
				if math.IsNaN(found.F) {
					t.Fatalf("minute %d: %s is not a number", minute, found.Metric)
				}
				who := found.Metric.String()
				pending[who] = minute
				if began, ok := since[who]; ok {
					pending[who] = began
				}
				if at(minute).Sub(at(pending[who])) >= time.Duration(rule.For) {
					return minute
				}
			}
			since = pending
		}
	}
	return -1
}

// Querier makes samples a storage.Queryable. Times are the engine's to look at.
func (s *samples) Querier(_, _ int64) (storage.Querier, error) {
	return &storage.MockQuerier{SelectMockFunction: func(_ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
		found := &seriesSet{at: -1}
		for _, one := range s.series {
			if !slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches(one.Metric.Get(m.Name)) }) {
				found.series = append(found.series, one)
			}
		}
		return found
	}}, nil
}

// seriesSet is a list of series as the engine reads it.
type seriesSet struct {
	series []promql.Series
	at     int
}

func (s *seriesSet) Next() bool                        { s.at++; return s.at < len(s.series) }
func (s *seriesSet) At() storage.Series                { return promql.NewStorageSeries(s.series[s.at]) }
func (s *seriesSet) Err() error                        { return nil }
func (s *seriesSet) Warnings() annotations.Annotations { return nil }

// TestSamples shows that what the alerts are tested with counts as Prometheus
// does.
func TestSamples(t *testing.T) {
	s := newSamples(t, `requests_total{code="a"} 0+60x20`, `requests_total{code="b"} 0+120x20`, `up 1 1 _x20`)
	for expr, want := range map[string]string{
		`sum by (code) (rate(requests_total[5m]))`: `[{code="a"} => 1 @[600000] {code="b"} => 2 @[600000]]`,
		`requests_total{code!="b"}`:                `[{__name__="requests_total", code="a"} => 600 @[600000]]`,
		`up`:                                       `[]`, // the last sample is older than 5 minutes
		`last_over_time(up[10m])`:                  `[{__name__="up"} => 1 @[600000]]`,
	} {
		if got := fmt.Sprint([]promql.Sample(s.ask(t, expr, 10))); got != want {
			t.Errorf("%s is %s, want %s", expr, got, want)
		}
	}
	rule := rulefmt.Rule{Alert: "Busy", Expr: `requests_total{code="a"} > 300`, For: 0}
	if got := s.fires(t, []rulefmt.Rule{rule}, "Busy", 20); got != 6 {
		t.Errorf("fires at minute %d, want 6", got)
	}
	rule.For = 120e9
	if got := s.fires(t, []rulefmt.Rule{rule}, "Busy", 20); got != 8 {
		t.Errorf("fires at minute %d, want 8", got)
	}
}
