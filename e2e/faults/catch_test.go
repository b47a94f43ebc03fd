package faults

import (
	"testing"
	"time"

	"github.com/parley-im/parley/e2e/faults/faultystore"
)

// sabotaged runs a small Parley whose chat service is broken, with the faults
// that show it, until the proof is there.
func sabotaged(t *testing.T, sabotage string, faults []Fault, proof func(*Findings) []string) {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes half a minute")
	}
	report := Run(t, Options{
		Seed: 1, Duration: 9 * time.Second, Settle: 30 * time.Second,
		People: 14, Rooms: 4, Gateways: 2, Replicas: 1, Sends: 30,
		Faults: faults, Sabotage: sabotage, Logs: logDir(t),
		Until: func(f *Findings) bool { return len(proof(f)) > 0 },
	})
	if report.Findings == nil || len(proof(report.Findings)) == 0 || report.Passed() {
		tell(t, report)
		t.Fatalf("%s is not noticed", sabotage)
	}
	t.Logf("noticed: %s", proof(report.Findings)[0])
}

func TestFaults_catch_acknowledged_before_stored(t *testing.T) {
	sabotaged(t, faultystore.AckBeforeStore, []Fault{
		{At: 2 * time.Second, Kind: Kill, Target: "chat-0"},
		{At: 6 * time.Second, Kind: Kill, Target: "chat-0"},
	}, func(f *Findings) []string { return f.Lost })
}

func TestFaults_catch_a_missing_unique_key(t *testing.T) {
	// Messages are stored, the process dies before it can say so, and they are
	// sent again.
	sabotaged(t, faultystore.NoUniqueKey, []Fault{
		{At: 2 * time.Second, Kind: StoreLost, Target: "chat-0", Count: 1},
		{At: 3 * time.Second, Kind: Kill, Target: "chat-0"},
		{At: 6 * time.Second, Kind: StoreLost, Target: "chat-0", Count: 1},
		{At: 7 * time.Second, Kind: Kill, Target: "chat-0"},
	}, func(f *Findings) []string { return f.Doubled })
}
