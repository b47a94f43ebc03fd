package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"regexp"
	"testing"
)

// opsURL is in the line that says that all is ready.
var opsURL = regexp.MustCompile(`ops (http://[0-9.:]+)`)

// opsFunc is called with the URL of the operations port when the program is
// ready.
type opsFunc func(url string)

func (f opsFunc) Write(p []byte) (int, error) {
	if found := opsURL.FindSubmatch(p); found != nil {
		f(string(found[1]))
	}
	return len(p), nil
}

// idleMetrics reads the metrics of all of Parley in one process that nobody
// uses.
func idleMetrics(t *testing.T) []byte {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := listener.Addr().String()
	_ = listener.Close() // the gateway opens it
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var body []byte
	read := opsFunc(func(url string) {
		defer cancel()
		resp, err := http.Get(url + "/metrics")
		if err != nil {
			t.Error(err)
			return
		}
		defer resp.Body.Close()
		if body, err = io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusOK {
			t.Errorf("%s, %v", resp.Status, err)
		}
	})
	free := "127.0.0.1:0"
	if err := serve(ctx, []string{"-data", t.TempDir(), "-addr", addr, "-ops-addr", free, "-nats-addr", free}, read, io.Discard); err != nil {
		t.Fatal(err)
	}
	return body
}

// Metrics are read every few seconds and kept for weeks: an idle process has
// few, and those of the process itself once, not once a service.
func TestMetrics_of_an_idle_process_are_few(t *testing.T) {
	const most = 1000
	metrics := idleMetrics(t)
	if lines := bytes.Count(metrics, []byte("\n")); lines > most {
		t.Errorf("%d lines, more than %d", lines, most)
	} else {
		t.Logf("%d lines", lines)
	}
	for _, once := range []string{"go_goroutines", "process_start_time_seconds"} {
		series := regexp.MustCompile(`(?m)^`+once+`\{.*`).FindAll(metrics, -1)
		if len(series) != 1 || !bytes.Contains(series[0], []byte(`service="standalone"`)) {
			t.Errorf("%s: %s", once, series)
		}
	}
}
