// Package traces receives the spans that processes export, as a collector of
// OpenTelemetry does, and shows a trace as a tree.
package traces

import (
	"compress/gzip"
	"context"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// maxExport is the most bytes of one export.
const maxExport = 16 << 20

// Span is one span as it was exported.
type Span struct {
	Service    string
	Instance   string // of the service: one process
	Name       string
	Kind       string // client, server, producer, consumer or internal
	Trace      string
	ID         string
	Parent     string // empty for a root
	Start      time.Time
	Took       time.Duration
	Error      string // empty unless the span failed
	Attributes map[string]string
	Events     []string
	Links      []string // ids of spans
}

// Collector takes spans over OTLP/HTTP, in protobuf.
type Collector struct {
	URL string // for OTEL_EXPORTER_OTLP_ENDPOINT

	mu      sync.Mutex
	spans   []Span
	changed chan struct{} // closed and replaced with each export
}

// Start listens on loopback until the test ends.
func Start(t testing.TB) *Collector {
	t.Helper()
	c := &Collector{changed: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/traces", c.take)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	c.URL = server.URL
	return c
}

// Env has processes send all their spans here, and soon.
func (c *Collector) Env() []string {
	return []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + c.URL, "TRACE_SAMPLE_RATIO=1", "OTEL_BSP_SCHEDULE_DELAY=50"}
}

// Spans returns what has come so far.
func (c *Collector) Spans() []Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Span(nil), c.spans...)
}

// Await returns the spans that have come once they are enough, or false when
// ctx ends before.
func (c *Collector) Await(ctx context.Context, enough func([]Span) bool) ([]Span, bool) {
	for {
		c.mu.Lock()
		spans, changed := append([]Span(nil), c.spans...), c.changed
		c.mu.Unlock()
		if enough(spans) {
			return spans, true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return spans, false
		}
	}
}

func (c *Collector) take(w http.ResponseWriter, r *http.Request) {
	body := io.Reader(http.MaxBytesReader(w, r.Body, maxExport))
	if r.Header.Get("Content-Encoding") == "gzip" {
		unpacked, err := gzip.NewReader(body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		body = unpacked
	}
	data, err := io.ReadAll(body)
	var export collector.ExportTraceServiceRequest
	if err == nil {
		err = proto.Unmarshal(data, &export)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var spans []Span
	for _, resource := range export.GetResourceSpans() {
		of := texts(resource.GetResource().GetAttributes())
		for _, scope := range resource.GetScopeSpans() {
			for _, s := range scope.GetSpans() {
				spans = append(spans, read(s, of))
			}
		}
	}
	c.mu.Lock()
	c.spans = append(c.spans, spans...)
	close(c.changed)
	c.changed = make(chan struct{})
	c.mu.Unlock()
	w.Header().Set("Content-Type", "application/x-protobuf") // an empty answer: all was taken
}

var kinds = map[otlp.Span_SpanKind]string{
	otlp.Span_SPAN_KIND_CLIENT: "client", otlp.Span_SPAN_KIND_SERVER: "server",
	otlp.Span_SPAN_KIND_PRODUCER: "producer", otlp.Span_SPAN_KIND_CONSUMER: "consumer",
	otlp.Span_SPAN_KIND_INTERNAL: "internal",
}

func read(s *otlp.Span, resource map[string]string) Span {
	span := Span{
		Service: resource["service.name"], Instance: resource["service.instance.id"],
		Name: s.GetName(), Kind: kinds[s.GetKind()],
		Trace: hex.EncodeToString(s.GetTraceId()), ID: hex.EncodeToString(s.GetSpanId()), Parent: hex.EncodeToString(s.GetParentSpanId()),
		Start: time.Unix(0, int64(s.GetStartTimeUnixNano())), Took: time.Duration(s.GetEndTimeUnixNano() - s.GetStartTimeUnixNano()),
		Attributes: texts(s.GetAttributes()),
	}
	if s.GetStatus().GetCode() == otlp.Status_STATUS_CODE_ERROR {
		span.Error = "error: " + s.GetStatus().GetMessage()
	}
	for _, e := range s.GetEvents() {
		span.Events = append(span.Events, e.GetName())
	}
	for _, l := range s.GetLinks() {
		span.Links = append(span.Links, hex.EncodeToString(l.GetSpanId()))
	}
	return span
}

func texts(attributes []*common.KeyValue) map[string]string {
	all := make(map[string]string, len(attributes))
	for _, a := range attributes {
		switch v := a.GetValue().GetValue().(type) {
		case *common.AnyValue_StringValue:
			all[a.GetKey()] = v.StringValue
		default:
			all[a.GetKey()] = a.GetValue().String()
		}
	}
	return all
}
