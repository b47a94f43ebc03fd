package gateway

import (
	"log/slog"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/telemetry"
)

// tracedHub is a hub without NATS, with these connections in room r1.
func tracedHub(conns ...*conn) (*hub, *tracetest.InMemoryExporter) {
	spans := tracetest.NewInMemoryExporter()
	tel := telemetry.Discard(contract.Gateway)
	tel.Tracer = sdk.NewTracerProvider(sdk.WithSyncer(spans))
	h := newHub(nil, tel)
	room := &localRoom{}
	for _, c := range conns {
		room.conns.add(c)
	}
	h.shard("r1").rooms["r1"] = room
	return h, spans
}

func bareConn(tb testing.TB, limit int) *conn {
	return unwritten(newConn("c", nowhere(tb), nil, "", &SocketConfig{QueueBytes: limit}, slog.New(slog.DiscardHandler), time.Now()))
}

// tracedPush is a message as chat pushes it, published in a recorded span or
// in one that is not.
func tracedPush(t *testing.T, sampler sdk.Sampler) (*nats.Msg, trace.SpanContext) {
	t.Helper()
	ctx, span := sdk.NewTracerProvider(sdk.WithSampler(sampler)).Tracer("chat").Start(t.Context(), "publish")
	payload, err := contract.MessagePushed.Encode(contract.Message{ID: "m", RoomID: "r1", Seq: 1, SentAt: contract.NewTime(time.Now())})
	if err != nil {
		t.Fatal(err)
	}
	m := &nats.Msg{Subject: "im.room.r1.message", Data: payload, Header: nats.Header{}}
	telemetry.Inject(ctx, m.Header)
	return m, span.SpanContext()
}

func TestTrail_one_span_for_all_connections(t *testing.T) {
	writes, full, held, breaks := bareConn(t, 1<<20), bareConn(t, 1), bareConn(t, 1<<20), bareConn(t, 1<<20)
	for _, c := range []*conn{writes, breaks} {
		c.queue.release(&outgoing{})
	}
	breaks.hurry.Store(true)
	h, spans := tracedHub(writes, held, breaks)
	m, publisher := tracedPush(t, sdk.AlwaysSample())
	h.roomPush(h.shard("r1"), m, nil)

	batch := drain(writes)
	batch[len(batch)-1].trail.wrote()
	if err := breaks.writeAll(drain(breaks)); err != nil {
		t.Fatal(err)
	}
	if n := len(spans.GetSpans()); n != 0 {
		t.Fatalf("%d spans while a connection holds the push back", n)
	}
	held.queue.close(endUnauthenticated, false)
	got := spans.GetSpans()
	if len(got) != 1 {
		t.Fatalf("%d spans for three connections", len(got))
	}
	span := got[0]
	if span.Name != "deliver im.room.*.message" || span.SpanKind != trace.SpanKindConsumer ||
		span.Parent.SpanID() != publisher.SpanID() || span.SpanContext.TraceID() != publisher.TraceID() {
		t.Errorf("got %+v", span)
	}
	if len(span.Links) != 1 || span.Links[0].SpanContext.SpanID() != publisher.SpanID() {
		t.Errorf("links %+v", span.Links)
	}
	if len(span.Events) != 1 || span.Events[0].Name != "first written" {
		t.Errorf("events %+v", span.Events)
	}
	attributes := attribute.NewSet(span.Attributes...)
	for key, want := range map[attribute.Key]int64{"parley.connections": 3, "parley.connections.dropped": 2} {
		if value, _ := attributes.Value(key); value.AsInt64() != want {
			t.Errorf("%s is %d, want %d", key, value.AsInt64(), want)
		}
	}

	h, spans = tracedHub(full)
	h.roomPush(h.shard("r1"), m, nil)
	if n := len(spans.GetSpans()); n != 1 {
		t.Errorf("%d spans of a push that nobody had room for", n)
	}
}

func TestTrail_none_unless_recorded(t *testing.T) {
	c := bareConn(t, 1<<20)
	c.queue.release(&outgoing{})
	h, spans := tracedHub(c)
	m, _ := tracedPush(t, sdk.NeverSample())
	bare := *m
	bare.Header = nil
	for _, m := range []*nats.Msg{m, &bare} {
		h.roomPush(h.shard("r1"), m, nil)
	}
	batch := drain(c)
	for _, o := range batch {
		if o.trail != nil {
			t.Error("a push that nobody traces has a trail")
		}
		o.trail.wrote()
	}
	if n := len(spans.GetSpans()); n != 0 || len(batch) != 3 {
		t.Fatalf("%d spans, %d frames", n, len(batch))
	}
}

func TestMessageAge(t *testing.T) {
	now := time.Now()
	frame := func(text string, sent time.Time) []byte {
		payload, err := contract.MessagePushed.Encode(contract.Message{
			ID: "m", RoomID: "r", Seq: 1, Content: contract.Content{Text: text}, SentAt: contract.NewTime(sent),
		})
		if err != nil {
			t.Fatal(err)
		}
		return payload
	}
	op := contract.MessagePushed.Op
	if age := messageAge(op, frame(`"sent_at":"1999-01-01T00:00:00.000Z"`, now.Add(-1500*time.Millisecond)), now); age < 1500 || age > 1501 {
		t.Errorf("1.5 s are %d ms", age)
	}
	if age := messageAge(op, frame("", now.Add(time.Hour)), now); age != 1 {
		t.Errorf("a message from the future is %d ms old", age)
	}
	if age := messageAge(op, frame("", now.AddDate(-10, 0, 0)), now); age <= 0 {
		t.Errorf("an old message is %d ms old", age)
	}
	for _, bad := range []string{``, `{"op":"message","data":{"sent_at":"`, `{"op":"message","data":{"sent_at":"yesterday"}}`} {
		if age := messageAge(op, []byte(bad), now); age != 0 {
			t.Errorf("%s is %d ms old", bad, age)
		}
	}
	if age := messageAge(contract.RoomHeadPushed.Op, frame("", now), now); age != 0 {
		t.Errorf("a head is %d ms old", age)
	}
}

// No allocation for what nobody traces.
func TestTrail_costs_nothing_unless_recorded(t *testing.T) {
	h, _ := tracedHub()
	m, _ := tracedPush(t, sdk.NeverSample())
	m.Header = nil
	now := time.Now()
	n := testing.AllocsPerRun(100, func() {
		o := &outgoing{age: messageAge(contract.MessagePushed.Op, m.Data, now), trail: h.newTrail(m, contract.MessagePushed.Op, contract.EveryRoom)}
		o.arrived = sinceStart()
		o.trail.given()
		h.metrics.arrived(contract.MessagePushed.Op)
		h.metrics.wrote(o)
		o.trail.wrote()
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}
