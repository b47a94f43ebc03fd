package bus

import (
	"log/slog"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/telemetry"
)

// Pusher publishes live pushes over core NATS. What does not get through is
// made good otherwise: by seq, by IM_EVENTS, or by what clients read next.
// Failures are therefore only counted.
type Pusher struct {
	nc   *nats.Conn
	log  *slog.Logger
	lost prometheus.Counter
}

// NewPusher returns a pusher on the service's connection.
func NewPusher(nc *nats.Conn, tel *telemetry.Telemetry) *Pusher {
	return &Pusher{
		nc: nc, log: tel.Log,
		lost: register(tel.Metrics, counter("pushes", "lost_total", "Live pushes that could not be handed to NATS.")),
	}
}

// Push publishes the frame of a push for the room or user with this id.
func Push[T any](p *Pusher, kind contract.Push[T], id string, data T) {
	subject, err := kind.Subject(id)
	if err == nil {
		var frame []byte
		if frame, err = kind.Encode(data); err == nil {
			err = p.nc.Publish(subject, frame)
		}
	}
	if err != nil {
		p.lost.Inc()
		p.log.Debug("push not sent", slog.String("op", string(kind.Op)), slog.Any("error", err))
	}
}
