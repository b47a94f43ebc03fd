package main

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// asProgram has this test binary be the program, in a process of its own.
const asProgram = "STANDALONE_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) == "" {
		os.Exit(m.Run())
	}
	_ = os.Unsetenv(asProgram) // it looks like a setting
	main()
}

// Every line of the log is of one format, also those of go-redis, whose logger
// is a global of its own.
func TestMain_the_log_has_one_format(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	free := "127.0.0.1:0"
	cmd := exec.CommandContext(t.Context(), self, "-data", t.TempDir(), "-addr", free, "-ops-addr", free, "-nats-addr", free)
	cmd.Env = append(os.Environ(), asProgram+"=1", "REDIS_URL=redis://127.0.0.1:1") // where nobody listens
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ofRedis := false
	for lines := bufio.NewScanner(log); lines.Scan(); {
		var record struct {
			Level, Msg, Library, Text string
		}
		if err := json.Unmarshal(lines.Bytes(), &record); err != nil || record.Msg == "" {
			t.Errorf("not of the log's format: %s", lines.Text())
		}
		if !ofRedis && strings.Contains(lines.Text(), "failed to dial") {
			ofRedis = true
			if record.Level != "WARN" || record.Library != "redis" || !strings.Contains(record.Text, "connection refused") {
				t.Errorf("got %s", lines.Text())
			}
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err != nil || !ofRedis {
		t.Errorf("ended with %v; redis seen: %v", err, ofRedis)
	}
}
