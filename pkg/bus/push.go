package bus

import (
	"context"
	"log/slog"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/telemetry"
)

// Pusher publishes live pushes over core NATS. What does not get through is
// made good otherwise: by seq, by IM_EVENTS, or by what clients read next.
// Failures are therefore only counted.
type Pusher struct {
	nc     *nats.Conn
	log    *slog.Logger
	tracer trace.Tracer
	lost   prometheus.Counter
}

// NewPusher returns a pusher on the service's connection.
func NewPusher(nc *nats.Conn, tel *telemetry.Telemetry) *Pusher {
	return &Pusher{
		nc: nc, log: tel.Log, tracer: tel.Tracer.Tracer("github.com/parley-im/parley/pkg/bus"),
		lost: register(tel.Metrics, counter("pushes", "lost_total", "Live pushes that could not be handed to NATS.")),
	}
}

// Push publishes the frame of a push for the room or user with this id. When
// what ctx stands for is traced, the trace goes along in the header; a push
// that nobody traces has none.
func Push[T any](ctx context.Context, p *Pusher, kind contract.Push[T], id string, data T) {
	subject, err := kind.Subject(id)
	if err == nil {
		var frame []byte
		if frame, err = kind.Encode(data); err == nil {
			err = p.publish(ctx, kind.Op, kind.Scope, subject, frame)
		}
	}
	if err != nil {
		p.lost.Inc()
		p.log.DebugContext(ctx, "push not sent", slog.String("op", string(kind.Op)), slog.Any("error", err))
	}
}

func (p *Pusher) publish(ctx context.Context, op contract.Op, scope contract.Scope, subject string, frame []byte) error {
	if !trace.SpanContextFromContext(ctx).IsSampled() {
		return p.nc.Publish(subject, frame)
	}
	template := contract.EveryRoom(op)
	if scope == contract.ScopeUser {
		template = contract.EveryUser(op)
	}
	ctx, span := p.tracer.Start(ctx, "publish "+template, trace.WithSpanKind(trace.SpanKindProducer), trace.WithAttributes(
		attribute.String("messaging.system", "nats"),
		attribute.String("messaging.operation.name", "publish"),
		attribute.String("messaging.operation.type", "send"),
		attribute.String("messaging.destination.name", subject),
		attribute.String("messaging.destination.template", template),
		attribute.Int("messaging.message.body.size", len(frame)),
	))
	defer span.End()
	msg := &nats.Msg{Subject: subject, Data: frame, Header: nats.Header{}}
	telemetry.Inject(ctx, msg.Header)
	err := p.nc.PublishMsg(msg)
	if err != nil {
		span.SetStatus(codes.Error, "not handed to NATS")
	}
	return err
}
