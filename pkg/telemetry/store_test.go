package telemetry

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
)

var errTaken = errors.New("taken")

func TestStoreTimer(t *testing.T) {
	spans := tracetest.NewInMemoryExporter()
	tel := Discard(contract.Chat)
	tel.Tracer = sdk.NewTracerProvider(sdk.WithSyncer(spans))
	timer := tel.NewStoreTimer("mongodb+srv://user:secret@host/db", errTaken)
	read := func(ctx context.Context, err error) {
		defer timer.Took(ctx, "read", time.Now(), &err)
	}
	read(t.Context(), nil)
	read(t.Context(), fmt.Errorf("save: %w", errTaken))
	read(t.Context(), context.Canceled)
	if n := testutil.ToFloat64(timer.errors.WithLabelValues("read")); n != 0 || len(spans.GetSpans()) != 0 {
		t.Fatalf("%v errors, %d spans of calls that went well, without a trace", n, len(spans.GetSpans()))
	}
	ctx, parent := tel.Tracer.Tracer("test").Start(t.Context(), "parent")
	read(ctx, fault.New(fault.Unavailable, "away").Because(errors.New("no route to ann@example.org")))
	if n := testutil.ToFloat64(timer.errors.WithLabelValues("read")); n != 1 {
		t.Fatalf("%v errors, want 1", n)
	}
	span := spans.GetSpans()[0]
	if span.Name != "store.read" || span.Parent.SpanID() != parent.SpanContext().SpanID() || span.Status.Description != "unavailable" {
		t.Errorf("got %+v", span)
	}
	if text := fmt.Sprint(span.Attributes); !strings.Contains(text, "mongodb") || strings.Contains(text, "secret") || strings.Contains(text, "srv") {
		t.Errorf("attributes %s", text)
	}
	families, err := tel.Metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprint(families); !strings.Contains(text, parent.SpanContext().TraceID().String()) {
		t.Errorf("no exemplar with the trace in %s", text)
	}
}
