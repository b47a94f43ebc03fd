package run

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/telemetry"
)

func TestCheck(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	tel := telemetry.Discard(contract.Chat)
	var store, redis error
	tel.Health.Add("nats", func(context.Context) error { return nil })
	tel.Health.Add("store", func(context.Context) error { return store })
	tel.Health.Watch("redis", func(context.Context) error { return redis })
	done := make(chan error, 1)
	go func() { done <- telemetry.ServeOpsOn(ctx, listener, false, tel) }()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("OPS_ADDR", ":1")          // where nobody listens
	t.Setenv("CHAT_OPS_ADDR", ":"+port) // counts more
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	check := func() (string, error) {
		var out strings.Builder
		err := checkSelf(t.Context(), contract.Chat, &out)
		return out.String(), err
	}

	if out, err := check(); err != nil || out != "ready\n" {
		t.Errorf("got %q, %v", out, err)
	}
	redis = errors.New("away")
	if out, err := check(); err != nil || out != "ready; chat redis: degraded: away\n" {
		t.Errorf("degraded: got %q, %v", out, err)
	}
	store = errors.New("disk full")
	if out, err := check(); err == nil || err.Error() != "not ready: chat redis: degraded: away; chat store: disk full" || out != "" {
		t.Errorf("got %q, %v", out, err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if out, err := check(); err == nil || !strings.Contains(err.Error(), "ask the operations port") || out != "" {
		t.Errorf("nobody there: got %q, %v", out, err)
	}
}

func TestCheck_another_program_is_not_ready(t *testing.T) {
	for name, answer := range map[string]string{"a page": "<html>", "other JSON": "{}"} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(answer)) }))
		defer server.Close()
		err := askReady(t.Context(), server.Listener.Addr().String(), new(strings.Builder))
		if err == nil || !strings.Contains(err.Error(), "answered 200") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDialled(t *testing.T) {
	for addr, want := range map[string]string{
		":9090": "127.0.0.1:9090", "0.0.0.0:9090": "127.0.0.1:9090", "[::]:9090": "[::1]:9090",
		"10.0.0.3:9090": "10.0.0.3:9090", "ops.local:9090": "ops.local:9090",
	} {
		if got, err := dialled(addr); err != nil || got != want {
			t.Errorf("%s: got %s, %v", addr, got, err)
		}
	}
	if _, err := dialled("9090"); err == nil || !strings.Contains(err.Error(), "OPS_ADDR") {
		t.Errorf("no port: %v", err)
	}
}
