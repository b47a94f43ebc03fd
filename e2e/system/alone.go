package system

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

// Alone is the whole of Parley in one process, as on a laptop: two gateways,
// everything embedded, no mail server.
type Alone struct {
	*Process
	URLs     []string
	NATSAddr string
	Data     string
}

// StartAlone runs it and stops it when the test ends.
func StartAlone(t testing.TB, env ...string) *Alone {
	t.Helper()
	one, two := FreeAddr(t), FreeAddr(t)
	a := &Alone{URLs: []string{"http://" + one, "http://" + two}, NATSAddr: FreeAddr(t), Data: filepath.Join(t.TempDir(), "data")}
	ops := FreeAddr(t)
	a.Process = &Process{
		Name: "standalone", Ops: "http://" + ops, bin: Build(t, standalone), LogFile: filepath.Join(t.TempDir(), "log"),
		args: []string{"-addr", one + "," + two, "-ops-addr", ops, "-nats-addr", a.NATSAddr, "-data", a.Data},
		env:  append([]string{raceOptions}, env...),
	}
	t.Cleanup(func() {
		a.end()
		if t.Failed() {
			t.Logf("--- standalone\n%s", a.Log())
		}
	})
	a.Restart(t)
	return a
}

// Backup runs the program once more, to copy the data of the one that runs to a
// new directory.
func (a *Alone) Backup(ctx context.Context, into string) error {
	cmd := exec.CommandContext(ctx, a.bin, "-data", a.Data, "-backup", into)
	cmd.Env = append(os.Environ(), a.env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("back up: %w\n%s", err, out)
	}
	return nil
}

var codeLine = regexp.MustCompile(`verification code.*?\b([0-9]{6})\b`)

// Code waits for the next verification code in the log, whoever it is for: one
// person registers at a time.
func (a *Alone) Code(seen int) func(testing.TB, string) string {
	return func(t testing.TB, _ string) string {
		t.Helper()
		for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
			if codes := a.codes(t); len(codes) > seen {
				return codes[seen]
			}
		}
		t.Fatal("no code in the log")
		return ""
	}
}

// Codes is how many codes the log has.
func (a *Alone) Codes(t testing.TB) int {
	t.Helper()
	return len(a.codes(t))
}

func (a *Alone) codes(t testing.TB) []string {
	t.Helper()
	log, err := os.ReadFile(a.LogFile)
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for line := range bytes.Lines(log) {
		if m := codeLine.FindSubmatch(line); m != nil {
			codes = append(codes, string(m[1]))
		}
	}
	return codes
}
