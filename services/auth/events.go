package auth

import (
	"log/slog"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/telemetry"
)

// pushes tells gateways at once which sessions have ended, over core NATS.
// What does not get through is in what list_revoked answers, so that failures
// are only counted.
type pushes struct {
	nc   *nats.Conn
	log  *slog.Logger
	lost prometheus.Counter
}

func newPushes(nc *nats.Conn, tel *telemetry.Telemetry) *pushes {
	p := &pushes{nc: nc, log: tel.Log, lost: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "parley_auth_lost_pushes_total", Help: "Live pushes that could not be handed to NATS.",
	})}
	tel.Metrics.MustRegister(p.lost)
	return p
}

// revoked tells that a session has ended, and until when a token of it may
// live.
func (p *pushes) revoked(s Session, until contract.Time) {
	kind := contract.SessionRevoked
	subject, err := kind.Subject(s.UserID)
	if err == nil {
		var frame []byte
		if frame, err = kind.Encode(contract.SessionRevokedData{SessionID: s.ID, Reason: s.Reason, Until: until}); err == nil {
			err = p.nc.Publish(subject, frame)
		}
	}
	if err != nil {
		p.lost.Inc()
		p.log.Debug("push not sent", "op", kind.Op, "err", err)
	}
}
