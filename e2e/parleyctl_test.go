package e2e

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-im/parley/e2e/system"
)

// parleyctl runs it on a data directory and returns what it printed, and the
// status that it exited with.
func parleyctl(t *testing.T, data string, args ...string) (out string, status int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, system.Build(t, "github.com/parley-im/parley/parleyctl"), append([]string{"--data", data, "--by", "e2e"}, args...)...)
	var printed, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &printed, &complaints
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("parleyctl %v: %v", args, err)
	}
	if complaints.Len() > 0 {
		t.Logf("parleyctl %v: %s", args, complaints.Bytes())
	}
	return printed.String(), cmd.ProcessState.ExitCode()
}

// line is the one of the doctor's report about a check of a part.
func line(t *testing.T, report, part, check string) string {
	t.Helper()
	for l := range strings.Lines(report) {
		fields := strings.Fields(l)
		if len(fields) > 2 && fields[0] == part && (fields[1] == check || fields[2] == check) {
			return strings.Join(fields, " ")
		}
	}
	t.Errorf("no word about %s of %s in\n%s", check, part, report)
	return ""
}

// TestParleyctl_doctor looks at a healthy standalone, and at one that lost an
// index, while it runs and after a start.
func TestParleyctl_doctor(t *testing.T) {
	t.Parallel()
	alone := system.StartAlone(t)
	t.Run("all is well", func(t *testing.T) {
		report, status := parleyctl(t, alone.Data, "doctor")
		if status != 0 || strings.Contains(report, "WRONG") || !strings.Contains(report, "All is well") {
			t.Fatalf("status %d\n%s", status, report)
		}
		if want := documented(t, "$ parleyctl doctor\n"); settled(report) != settled(want) {
			t.Errorf("docs/parleyctl.md shows\n%s\nbut it prints\n%s", want, report)
		}
	})
	t.Run("a missing index", func(t *testing.T) {
		db, err := sql.Open("sqlite", filepath.Join(alone.Data, "auth.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if _, err := db.ExecContext(t.Context(), "PRAGMA busy_timeout = 5000; DROP INDEX sessions_user"); err != nil {
			t.Fatal(err)
		}
		report, status := parleyctl(t, alone.Data, "doctor")
		if l := line(t, report, "auth", "store.indexes"); status != 1 || !strings.HasSuffix(l, "WRONG missing: sessions_user") {
			t.Errorf("status %d: %s", status, l)
		}
		if n := strings.Count(report, "WRONG"); n != 1 {
			t.Errorf("%d things are wrong\n%s", n, report)
		}
		answer, status := parleyctl(t, alone.Data, "doctor", "--json")
		var found struct {
			OK     bool
			Checks []struct {
				Part, Name, Detail string
				OK                 bool
			}
		}
		if err := json.Unmarshal([]byte(answer), &found); err != nil || found.OK || status != 1 {
			t.Fatalf("status %d, %v: %s", status, err, answer)
		}
		for _, c := range found.Checks {
			if !c.OK && (c.Part != "auth" || c.Name != "store.indexes" || c.Detail != "missing: sessions_user") {
				t.Errorf("also %+v", c)
			}
		}
	})
	t.Run("a start mends it", func(t *testing.T) {
		alone.Stop(t)
		if report, status := parleyctl(t, alone.Data, "doctor"); status != 1 || !strings.Contains(line(t, report, "nats", "connection"), "WRONG") {
			t.Errorf("while it is stopped: status %d\n%s", status, report)
		}
		alone.Restart(t)
		if report, status := parleyctl(t, alone.Data, "doctor"); status != 0 {
			t.Errorf("status %d\n%s", status, report)
		}
	})
}
