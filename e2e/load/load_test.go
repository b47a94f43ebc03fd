package main

import (
	"context"
	"maps"
	"os"
	"testing"
	"time"

	"github.com/parley-im/parley/e2e/system"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == childCommand { // started by a floor
		if err := serveChild(context.Background(), os.Args[2:], os.Stdin, os.Stdout); err != nil {
			panic(err)
		}
		return
	}
	status := m.Run()
	system.Cleanup()
	os.Exit(status)
}

// TestScenarios runs each for a moment against a real system. What it finds
// of speed says nothing here; that nothing is lost or doubled does.
func TestScenarios(t *testing.T) {
	running := system.Start(t, system.Options{Replicas: 1, Gateways: 2, Env: parleyEnv})
	people := newTown(running.URLs, running.Mail, t.Logf)
	t.Run("lost answers", func(t *testing.T) { testLostAnswers(t, people) })
	t.Run("sweeps", func(t *testing.T) { testSweeps(t, people) })
	o := options{conns: 10, members: 5}
	for _, sc := range scenarios() {
		t.Run(sc.name, func(t *testing.T) {
			s := &stage{scenario: o.fill(sc), text: 128, duration: 1500 * time.Millisecond, history: 20, town: people, fs: "/proc", tell: t.Logf}
			s.warmUp, s.rate = 0, s.rate/5
			rep, err := s.measure(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			rep.print(t.Output())
			if rep.Lost != 0 || rep.Doubled != 0 || rep.Unanswered != 0 {
				t.Errorf("lost %d, doubled %d, unanswered %d", rep.Lost, rep.Doubled, rep.Unanswered)
			}
			if rep.Sends == 0 && sc.name != "idle" {
				t.Error("nothing was sent")
			}
			if rep.Ack != nil && rep.Deliver != nil && rep.Deliver.Count <= rep.Ack.Count {
				t.Errorf("%d latencies of delivery, of %d sends", rep.Deliver.Count, rep.Ack.Count)
			}
			if (sc.name == "persist") != (rep.HalfRateAck != nil) {
				t.Errorf("at half the rate: %+v", rep.HalfRateAck)
			}
			if sc.name == "storm" && (len(rep.Storms) == 0 || rep.Repaired == 0) {
				t.Errorf("storms %v, of which %d messages were caught up", rep.Storms, rep.Repaired)
			}
		})
	}
}

// TestFloors measures each for a moment, without Parley.
func TestFloors(t *testing.T) {
	for name, figures := range map[string][]string{
		"persist": {figNATSSends, figBatchInserts, figInserts, figCommitP50},
		"hotroom": {figDeliveries},
		"idle":    {figMemory},
		"storm":   {figStorm},
		"mixed":   {figCommitP50},
	} {
		t.Run(name, func(t *testing.T) {
			picked, err := pick(name)
			if err != nil {
				t.Fatal(err)
			}
			o := options{conns: 20, members: 5, senders: 3}
			s := &stage{scenario: o.fill(picked[0]), text: 128, duration: 300 * time.Millisecond, town: &town{}, fs: "/proc", tell: t.Logf}
			s.warmUp = 0
			f, err := s.floor(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			for _, figure := range figures {
				if f.Figures[figure] <= 0 {
					t.Errorf("%s is missing in %v", figure, f)
				}
			}
		})
	}
}

func TestReport_relate(t *testing.T) {
	rep := &report{setting: setting{Loop: openLoop}, DeliveriesPerSecond: 300, SendsPerSecond: 7, Deliver: &latency{P50: 4, P99: 8}, Floors: []*floor{
		{Figures: map[string]float64{figDeliveries: 100, figCommitP50: 2}},
		{Figures: map[string]float64{figDeliveries: 200, figCommitP50: 2}},
	}}
	rep.relate()
	want := map[string]float64{"deliveries": 2, "deliver_p50_to_commit_p50": 2, "deliver_p99_to_commit_p50": 4}
	if !maps.Equal(rep.Ratios, want) {
		t.Errorf("got %v, want %v", rep.Ratios, want)
	}
}
