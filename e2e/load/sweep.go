package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/parley-im/parley/standalone/embedded"
)

// settleTime is how long a gateway may tidy up after connects.
const settleTime = 2 * time.Second

// sweep measures how figures change with one thing.
type sweep struct {
	name  string
	about string
	take  func(context.Context, *sweeper) error
}

// sweeps lists them in the order in which they are run.
func sweeps() []sweep {
	return []sweep{
		{"persist", "offered sends a second, groups of 5", offered("persist")},
		{"hotroom", "offered sends a second, one group of 100", offered("hotroom")},
		{"connections", "memory with up to 10,000 connections, or -conns", overConnections},
		{"rooms", "cost of a send with ever more groups of 5", overRooms},
		{"members", "cost of a delivery in an ever larger group", overMembers},
		{"gateways", "cost of a delivery by ever more gateways", overGateways},
		{"replicas", "cost of a send with ever more replicas of chat", overReplicas},
	}
}

func sweepNames() []string {
	var names []string
	for _, s := range sweeps() {
		names = append(names, s.name)
	}
	return names
}

// pickSweeps finds some by their names, with commas; "all" is all.
func pickSweeps(names string) ([]sweep, error) {
	switch names {
	case "":
		return nil, nil
	case "all":
		return sweeps(), nil
	}
	var picked []sweep
	for name := range strings.SplitSeq(names, ",") {
		i := slices.Index(sweepNames(), name)
		if i < 0 {
			return nil, fmt.Errorf("-sweep: there is no %q, there are %s", name, strings.Join(sweepNames(), ", "))
		}
		picked = append(picked, sweeps()[i])
	}
	return picked, nil
}

// sweepResults are what plots are drawn from.
type sweepResults struct {
	Machine machine  `json:"machine"`
	Seconds float64  `json:"seconds"` // of each point
	Sweeps  []*curve `json:"sweeps"`
}

// curve is one sweep's outcome.
type curve struct {
	Name   string  `json:"name"`
	Points []point `json:"points"`
}

// point is what was measured at one value, by the names of figures.
type point struct {
	X       float64            `json:"x"`
	Figures map[string]float64 `json:"figures"`
}

// sweeper takes one sweep's points.
type sweeper struct {
	*options
	start  func(context.Context, scenario, size) (s *stage, stop func(), err error) // a fresh system
	settle time.Duration                                                            // before the memory of a number of connections is read
	curve
}

// sweep runs the sweeps that were asked for, and replaces those of the same
// name in the file.
func (o *options) sweep(ctx context.Context, mail *embedded.SMTP, p *progress) error {
	defer p.clear()
	results := &sweepResults{}
	if err := readJSON(o.json, results); err != nil {
		return err
	}
	start := func(ctx context.Context, sc scenario, n size) (*stage, func(), error) {
		return o.stage(ctx, sc, n, mail, p)
	}
	results.Machine, results.Seconds = thisMachine(), o.duration.Seconds()
	for _, sw := range o.sweeps {
		taken := &sweeper{options: o, start: start, settle: settleTime, curve: curve{Name: sw.name}}
		if err := sw.take(ctx, taken); err != nil {
			return fmt.Errorf("sweep %s: %w", sw.name, err)
		}
		results.put(&taken.curve)
		if err := writeJSON(o.json, results); err != nil { // what there is, should the next one fail
			return err
		}
	}
	return nil
}

// put adds a curve, in place of an older one.
func (r *sweepResults) put(c *curve) {
	r.Sweeps = slices.DeleteFunc(r.Sweeps, func(old *curve) bool { return old.Name == c.Name })
	r.Sweeps = append(r.Sweeps, c)
}

// begin starts a fresh system for a scenario.
func (w *sweeper) begin(ctx context.Context, name string, n size) (s *stage, stop func(), err error) {
	picked, err := pick(name)
	if err != nil {
		return nil, nil, err
	}
	sc := picked[0]
	sc.half = false
	return w.start(ctx, sc, n)
}

// add measures a point.
func (w *sweeper) add(ctx context.Context, s *stage, x float64) error {
	rep, err := s.measure(ctx)
	if err != nil {
		return fmt.Errorf("at %s: %w", number(x), err)
	}
	if rep.Lost > 0 || rep.Doubled > 0 {
		return fmt.Errorf("at %s: %d messages lost, %d doubled", number(x), rep.Lost, rep.Doubled)
	}
	figures := map[string]float64{}
	for _, f := range rep.figures() {
		figures[f.name] = f.value
	}
	w.Points = append(w.Points, point{X: x, Figures: figures})
	return nil
}
