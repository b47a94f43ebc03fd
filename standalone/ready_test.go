package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain_takes_free_ports for gateways too, and says which.
func TestMain_takes_free_ports(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	free := "127.0.0.1:0"
	cmd := exec.CommandContext(ctx, self, "-data", t.TempDir(), "-addr", free+","+free, "-ops-addr", free, "-nats-addr", free)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "ready: ") {
	}
	gateways := regexp.MustCompile(`gateway (http://127\.0\.0\.1:[1-9]\d*)`).FindAllStringSubmatch(lines.Text(), -1)
	if len(gateways) != 2 || gateways[0][1] == gateways[1][1] {
		t.Errorf("got %q", lines.Text())
	}
	for _, gateway := range gateways {
		resp, err := http.Get(gateway[1] + "/.well-known/jwks.json")
		if err != nil {
			t.Error(err)
			continue
		}
		if resp.Body.Close(); resp.StatusCode != http.StatusOK {
			t.Errorf("%s answers %s", gateway[1], resp.Status)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, out)
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
