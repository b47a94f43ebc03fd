package chat

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/telemetry"
)

// tracedLog is a Log that has not begun to work, so that a test says what one
// insert holds, and its spans.
func tracedLog(t *testing.T, store Store) (*Log, *committer, *tracetest.InMemoryExporter) {
	t.Helper()
	spans := tracetest.NewInMemoryExporter()
	tel := telemetry.Discard(contract.Chat)
	tel.Tracer = sdk.NewTracerProvider(sdk.WithSyncer(spans))
	o := testOptions()
	o.StoreURL = "sqlite:chat.db"
	log := NewLog(store, testMemory(), newRecorder(), o, tel)
	return log, log.committers[0], spans
}

// enqueue has a send wait, on behalf of a span of its own unless it is nil.
func enqueue(t *testing.T, log *Log, tracer trace.Tracer, r Record) (done func() (Receipt, error)) {
	t.Helper()
	ctx, end := within(t), func() {}
	if tracer != nil {
		var span trace.Span
		ctx, span = tracer.Start(ctx, "send")
		end = func() { span.End() }
	}
	waiting := len(log.committers[0].queue)
	answers := make(chan outcome, 1)
	go func() { // ends when the send is answered
		receipt, err := log.Append(ctx, r)
		end()
		answers <- outcome{receipt, err}
	}()
	await(t, "the send to wait", func() bool { return len(log.committers[0].queue) > waiting })
	return func() (Receipt, error) {
		a := <-answers
		return a.receipt, a.err
	}
}

func TestTrace_one_insert_of_many_sends(t *testing.T) {
	log, c, spans := tracedLog(t, newStore(t))
	sampled := sdk.NewTracerProvider(sdk.WithSyncer(spans)).Tracer("test")
	unsampled := sdk.NewTracerProvider(sdk.WithSampler(sdk.NeverSample())).Tracer("test")
	var sends []func() (Receipt, error)
	for i, tracer := range []trace.Tracer{nil, sampled, unsampled, sampled, sampled} {
		sends = append(sends, enqueue(t, log, tracer, record("room", "ann", fmt.Sprint(i))))
	}
	c.gather(t.Context())
	c.round(t.Context())
	for _, done := range sends {
		if _, err := done(); err != nil {
			t.Fatal(err)
		}
	}
	named := map[string][]tracetest.SpanStub{}
	for _, s := range spans.GetSpans() {
		named[s.Name] = append(named[s.Name], s)
	}
	if len(named["insert"]) != 1 || len(named["queue"]) != 3 || len(named["send"]) != 3 {
		t.Fatalf("%d inserts, %d waits, %d sends", len(named["insert"]), len(named["queue"]), len(named["send"]))
	}
	insert := named["insert"][0]
	links := map[trace.SpanID]bool{}
	for _, l := range insert.Links {
		links[l.SpanContext.SpanID()] = true
	}
	for _, send := range named["send"] {
		id := send.SpanContext.SpanID()
		if parent := insert.Parent.SpanID() == id; parent == links[id] {
			t.Errorf("send %s is parent: %v, linked: %v", id, parent, links[id])
		} else if !parent && (len(send.Links) != 1 || send.Links[0].SpanContext.SpanID() != insert.SpanContext.SpanID()) {
			t.Errorf("send %s has links %v", id, send.Links)
		}
	}
	attributes := attribute.NewSet(insert.Attributes...)
	for key, want := range map[attribute.Key]string{"db.system.name": "sqlite", "parley.batch.messages": "5", "parley.batch.stored": "5"} {
		if value, _ := attributes.Value(key); value.String() != want {
			t.Errorf("%s is %q, want %s", key, value.String(), want)
		}
	}
}

func TestTrace_tells_collisions_and_unknown_outcomes(t *testing.T) {
	for name, fails := range map[string]error{"seq": ErrSeqTaken, "client_id": ErrClientIDTaken, "": errors.New("no answer to ann@example.org")} {
		store := &faulty{Store: newStore(t)}
		tries := 0
		store.onAppend = func(ctx context.Context, r []Record) (int, error) {
			if tries++; tries == 1 {
				return 0, fails
			}
			return store.Store.Append(ctx, r)
		}
		log, c, spans := tracedLog(t, store)
		done := enqueue(t, log, sdk.NewTracerProvider(sdk.WithSyncer(spans)).Tracer("test"), record("room", "ann", "1"))
		for tries < 2 {
			c.gather(t.Context())
			c.round(t.Context())
		}
		if _, err := done(); err != nil {
			t.Fatal(err)
		}
		var inserts, waits []tracetest.SpanStub
		for _, s := range spans.GetSpans() {
			switch s.Name {
			case "insert":
				inserts = append(inserts, s)
			case "queue":
				waits = append(waits, s)
			}
		}
		if len(inserts) != 2 || len(waits) != 2 {
			t.Fatalf("%s: %d inserts, %d waits", fails, len(inserts), len(waits))
		}
		if waits[1].StartTime.Before(inserts[0].EndTime) {
			t.Errorf("%s: the second wait begins before the first insert ends", fails)
		}
		attributes := attribute.NewSet(inserts[0].Attributes...)
		value, _ := attributes.Value("parley.batch.collision")
		failed := inserts[0].Status.Code == codes.Error
		if name == "" != failed || name != "" && value.AsString() != name || inserts[1].Status.Code == codes.Error {
			t.Errorf("%s: collision %q, failed %v", fails, value.AsString(), failed)
		}
		if text := fmt.Sprint(inserts); name == "" && inserts[0].Status.Description != "outcome unknown" {
			t.Errorf("%s", text)
		}
		if n := counted(t, log.metrics.retries); n != 1 {
			t.Errorf("%s: %v retries", fails, n)
		}
	}
}

// No spans, and nothing else, of sends that nobody traces.
func TestTrace_costs_nothing_unless_recorded(t *testing.T) {
	_, c, spans := tracedLog(t, newStore(t))
	ctx, span := sdk.NewTracerProvider(sdk.WithSampler(sdk.NeverSample())).Tracer("test").Start(t.Context(), "send")
	defer span.End()
	slots := []*slot{{sends: []*send{{ctx: ctx}, {ctx: t.Context()}}}}
	if n := testing.AllocsPerRun(100, func() {
		c.tracing.begin(slots, c.notBefore).end(1, nil)
		_ = slots[0].context()
	}); n != 0 || len(spans.GetSpans()) != 0 {
		t.Errorf("%v allocations, %d spans", n, len(spans.GetSpans()))
	}
}
