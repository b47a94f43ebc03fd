package faults

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/parley-im/parley/e2e/system"
)

var (
	seed     = flag.Uint64("faults.seed", 0, "`seed` of the run; 0: a random one")
	duration = flag.Duration("faults.duration", 0, "how long faults strike; 0: so that all takes two minutes")
	pace     = flag.Duration("faults.pace", 0, "mean time from one fault to the next; 0: a second")
	sends    = flag.Float64("faults.sends", 0, "messages a second of all people together; 0: 40")
	restart  = flag.String("faults.mongo-restart", "", "shell `command` that restarts the database of MONGO_URI")
	output   = flag.String("faults.json", "", "`file` for the report")
	logs     = flag.String("faults.logs", "", "`directory` for what the processes write; empty: one that is kept when the run fails")
)

func TestMain(m *testing.M) {
	flag.Parse()
	status := m.Run()
	system.Cleanup()
	os.Exit(status)
}

// TestFaults is the proof. Its faults are repeated by the seed that it prints.
func TestFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes two minutes")
	}
	o := Short(*seed)
	if o.Seed == 0 {
		o.Seed = rand.Uint64N(1_000_000_000) + 1
	}
	if *duration > 0 {
		o.Duration = *duration
	}
	if *pace > 0 {
		o.Pace = *pace
	}
	if *sends > 0 {
		o.Sends = *sends
	}
	o.Restart = *restart
	o.Logs = logDir(t)
	t.Logf("seed %d; to repeat the run: make faults SEED=%d DURATION=%s", o.Seed, o.Seed, o.Duration)
	report := Run(t, o)
	tell(t, report)
	if *output != "" {
		if err := report.Write(*output); err != nil {
			t.Error(err)
		}
	}
	if !report.Passed() {
		t.Errorf("the run failed; to repeat it: make faults SEED=%d DURATION=%s", o.Seed, o.Duration)
	}
}

// tell prints the report.
func tell(t *testing.T, report *Report) {
	t.Helper()
	var out strings.Builder
	report.Table(&out)
	report.Details(&out)
	fmt.Println(out.String())
}

// logDir is where the processes' logs go; it is removed when the test passes.
func logDir(t *testing.T) string {
	t.Helper()
	if *logs != "" {
		return *logs
	}
	dir, err := os.MkdirTemp("", "parley-faults-") //nolint:usetesting // it outlives a failed test
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("what the processes wrote is in %s", dir)
			return
		}
		_ = os.RemoveAll(dir)
	})
	return dir
}
