package telemetry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	sdk "go.opentelemetry.io/otel/sdk/trace"

	"github.com/parley-im/parley/pkg/contract"
)

func TestServeOps(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	auth, chat := Discard(contract.Auth), Discard(contract.Chat)
	for _, part := range []*Telemetry{auth, chat} { // the same name in both
		counter := prometheus.NewCounter(prometheus.CounterOpts{Name: "parley_test_total", Help: "x"})
		part.Metrics.MustRegister(counter)
		counter.Inc()
	}
	var broken, away error
	chat.Health.Add("store", func(context.Context) error { return broken })
	chat.Health.Add("store", func(context.Context) error { return nil }) // two stores, or two connections to one
	chat.Health.Watch("redis", func(context.Context) error { return away })
	done := make(chan error, 1)
	go func() { done <- ServeOpsOn(ctx, listener, false, auth, chat) }()
	base := "http://" + listener.Addr().String()

	t.Run("ready when every check holds", func(t *testing.T) {
		if status, body := get(t, base+"/readyz"); status != http.StatusOK || !strings.Contains(body, `"store":"ok"`) {
			t.Fatalf("%d %s", status, body)
		}
	})
	t.Run("not ready names the check", func(t *testing.T) {
		broken = errors.New("disk full")
		defer func() { broken = nil }()
		if status, body := get(t, base+"/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(body, `"store":"disk full"`) {
			t.Fatalf("%d %s", status, body)
		}
		if err := chat.Health.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "store") {
			t.Fatalf("got %v", err)
		}
	})
	t.Run("degraded is ready, and tells", func(t *testing.T) {
		away = errors.New("connection refused")
		defer func() { away = nil }()
		status, body := get(t, base+"/readyz")
		if status != http.StatusOK || body != `{"checks":{"auth":{},"chat":{"redis":"degraded: connection refused","store":"ok"}},"status":"ready"}`+"\n" {
			t.Fatalf("%d %s", status, body)
		}
		if err := chat.Health.Ready(t.Context()); err != nil {
			t.Fatalf("got %v", err)
		}
		_, body = get(t, base+"/metrics")
		for _, want := range []string{
			`parley_health_check{check="redis",informs="true",service="chat"} 0`,
			`parley_health_check{check="store",informs="false",service="chat"} 1`,
		} {
			if !strings.Contains(body, want) {
				t.Errorf("no %s in\n%s", want, body)
			}
		}
	})
	t.Run("a check of two holds when both do", func(t *testing.T) {
		broken = errors.New("disk full")
		defer func() { broken = nil }()
		const want = `parley_health_check{check="store",informs="false",service="chat"} 0`
		if status, body := get(t, base+"/metrics"); status != http.StatusOK || !strings.Contains(body, want) {
			t.Fatalf("%d, no %s in\n%s", status, want, body)
		}
	})
	t.Run("lives all the while", func(t *testing.T) {
		if status, _ := get(t, base+"/healthz"); status != http.StatusOK {
			t.Fatal(status)
		}
	})
	t.Run("metrics of all parts", func(t *testing.T) {
		_, body := get(t, base+"/metrics")
		for _, want := range []string{`parley_test_total{service="auth"} 1`, `parley_test_total{service="chat"} 1`} {
			if !strings.Contains(body, want) {
				t.Errorf("no %s in\n%s", want, body)
			}
		}
	})
	t.Run("no profiles unless asked", func(t *testing.T) {
		if status, _ := get(t, base+"/debug/pprof/"); status != http.StatusNotFound {
			t.Fatal(status)
		}
	})
	t.Run("not ready while it starts", func(t *testing.T) {
		chat.Health.Starting()
		if status, body := get(t, base+"/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(body, `"starting":"starting"`) {
			t.Fatalf("%d %s", status, body)
		}
		chat.Health.Started()
		if status, body := get(t, base+"/readyz"); status != http.StatusOK || strings.Contains(body, "starting") {
			t.Fatalf("%d %s", status, body)
		}
	})
	t.Run("draining is for good", func(t *testing.T) {
		auth.Health.Drain()
		if status, body := get(t, base+"/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(body, "draining") {
			t.Fatalf("%d %s", status, body)
		}
	})
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestLog_carries_request_and_trace(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(newHandler(&out, slog.LevelInfo)).With(slog.String("service", "auth"))
	ctx, span := sdk.NewTracerProvider().Tracer("test").Start(WithRequest(t.Context(), "request-7"), "act")
	log.InfoContext(ctx, "done")
	log.Debug("not logged")
	var record map[string]any
	if err := json.Unmarshal(out.Bytes(), &record); err != nil {
		t.Fatalf("%s: %v", out.String(), err)
	}
	if record["trace_id"] != span.SpanContext().TraceID().String() || record["service"] != "auth" || record["request_id"] != "request-7" {
		t.Fatalf("got %v", record)
	}
}

func TestTrace_crosses_headers(t *testing.T) {
	ctx, span := sdk.NewTracerProvider().Tracer("test").Start(t.Context(), "act")
	header := map[string][]string{}
	Inject(ctx, header)
	if len(header["traceparent"]) != 1 {
		t.Fatalf("headers %v", header)
	}
	_, child := sdk.NewTracerProvider().Tracer("test").Start(Extract(context.Background(), header), "answer")
	if child.SpanContext().TraceID() != span.SpanContext().TraceID() {
		t.Fatal("another trace")
	}
	none := map[string][]string{}
	Inject(context.Background(), none)
	if len(none) != 0 {
		t.Fatalf("headers without a span: %v", none)
	}
}

func TestNew_describes_itself(t *testing.T) {
	tel, err := New(t.Context(), contract.Auth, "1.2.3", Config{})
	if err != nil {
		t.Fatal(err)
	}
	families, err := tel.Metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	labels := map[string]string{}
	for _, f := range families {
		if f.GetName() == "parley_build_info" {
			for _, label := range f.GetMetric()[0].GetLabel() {
				labels[label.GetName()] = label.GetValue()
			}
		}
	}
	if labels["version"] != "1.2.3" || labels["revision"] != Revision() || labels["service"] != "auth" {
		t.Fatalf("parley_build_info has the labels %v", labels)
	}
	if err := tel.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestRevision(t *testing.T) {
	if got := Revision(); got != "unknown" { // tests are not stamped
		t.Fatalf("got %q", got)
	}
	revision = "abc123" // as the linker does
	defer func() { revision = "" }()
	if got := Revision(); got != "abc123" {
		t.Fatalf("got %q", got)
	}
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// A collector on a real port gets the spans, and nobody else does.
func TestNew_sends_traces_to_the_collector(t *testing.T) {
	paths := make(chan string, 10)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if bytes.Contains(body, []byte("the act")) {
			paths <- r.URL.Path
		}
	}))
	defer collector.Close()
	tel, err := New(t.Context(), contract.Chat, "1.2.3", Config{OTLPEndpoint: collector.URL, SampleRatio: 1})
	if err != nil {
		t.Fatal(err)
	}
	_, span := tel.Tracer.Tracer("test").Start(t.Context(), "the act")
	span.End()
	if err := tel.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	select {
	case path := <-paths:
		if path != "/v1/traces" {
			t.Fatalf("sent to %s", path)
		}
	default:
		t.Fatal("the span was not sent")
	}
}
