package main

import (
	"context"
	"testing"
	"time"
)

// testSweeps takes those that need few people, for a moment each.
func testSweeps(t *testing.T, people *town) {
	var asked []size
	o := &options{conns: 12, size: size{gateways: 2, chats: 1}}
	start := func(_ context.Context, sc scenario, n size) (*stage, func(), error) {
		asked = append(asked, n)
		sc.warmUp, sc.conns, sc.members = 0, 10, 5
		return &stage{scenario: sc, text: 128, duration: 200 * time.Millisecond, town: people, fs: "/proc", tell: t.Logf}, func() {}, nil
	}
	for name, c := range map[string]struct {
		points int
		figure string
		sizes  []size
	}{
		"persist":     {len(offeredShares), "ack_p99_ms", []size{{2, 1}}},
		"connections": {11, figGatewayMemory, []size{{2, 1}}},
		"gateways":    {4, "deliver_p99_ms", []size{{1, 1}, {2, 1}, {3, 1}, {4, 1}}},
		"replicas":    {4, "sends_per_second", []size{{2, 1}, {2, 2}, {2, 3}, {2, 4}}},
	} {
		asked = nil
		picked, err := pickSweeps(name)
		if err != nil {
			t.Fatal(err)
		}
		w := &sweeper{options: o, start: start}
		if err := picked[0].take(t.Context(), w); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if len(w.Points) != c.points || len(asked) != len(c.sizes) {
			t.Fatalf("%s: %d points of %v", name, len(w.Points), asked)
		}
		for i, n := range c.sizes {
			if asked[i] != n {
				t.Errorf("%s: the system %d is %+v, want %+v", name, i, asked[i], n)
			}
		}
		for i, p := range w.Points {
			if i > 0 && p.X <= w.Points[i-1].X {
				t.Errorf("%s: %v follows %v", name, p.X, w.Points[i-1].X)
			}
			if _, there := p.Figures[c.figure]; !there {
				t.Errorf("%s at %v has no %s", name, p.X, c.figure)
			}
		}
	}
}
