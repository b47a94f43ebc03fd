package gateway

import (
	"errors"
	"io"
	"net"
	"strconv"

	"github.com/fasthttp/websocket"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
)

// ending is why a connection ends, and how its client is told.
type ending struct {
	reason string             // in metrics; several may have one code
	code   contract.CloseCode // 0: there is nobody to tell
	text   string             // that goes with the code; empty: the code's own
}

// The endings, each of one cause.
var (
	endDrained         = &ending{reason: "drain", code: contract.CloseServiceRestart}
	endAged            = &ending{reason: "age", code: contract.CloseServiceRestart, text: "connect again, perhaps elsewhere"}
	endUnavailable     = &ending{reason: "unavailable", code: contract.CloseServiceRestart, text: "not available right now"}
	endFailed          = &ending{reason: "failed", code: contract.CloseServiceRestart, text: "failed"}
	endIdle            = &ending{reason: "idle", code: contract.CloseGoingAway, text: "silent for two heartbeats"} // half-open, most likely
	endTooLarge        = &ending{reason: "too_large", code: contract.CloseTooLarge}
	endUnauthenticated = &ending{reason: "unauthenticated", code: contract.CloseUnauthenticated}
	endExpired         = &ending{reason: "expired", code: contract.CloseUnauthenticated}
	endRevoked         = &ending{reason: "revoked", code: contract.CloseSessionRevoked}
	endTooSlow         = &ending{reason: "slow", code: contract.CloseTooSlow}
	endTooFast         = &ending{reason: "fast", code: contract.CloseTooFast, text: "too fast; connect again in 1 s"}
	endBadFrames       = &ending{reason: "bad_frames", code: contract.CloseTooFast, text: "too many bad frames; connect again in 1 s"}
	endTooMany         = &ending{reason: "too_many", code: contract.CloseTooFast, text: "too many connections"}
	endProtocol        = &ending{reason: "protocol", code: websocket.CloseProtocolError, text: "not the WebSocket protocol"}
	endClient          = &ending{reason: "client"}  // the client closed
	endLost            = &ending{reason: "lost"}    // the network did
	endStalled         = &ending{reason: "stalled"} // one frame's write took too long
)

// endings lists them all.
var endings = []*ending{
	endDrained, endAged, endUnavailable, endFailed, endIdle, endTooLarge, endUnauthenticated, endExpired, endRevoked,
	endTooSlow, endTooFast, endBadFrames, endTooMany, endProtocol, endClient, endLost, endStalled,
}

// message is the close frame's payload.
func (e *ending) message() []byte {
	text := e.text
	if text == "" {
		text = e.code.Reason()
	}
	return websocket.FormatCloseMessage(int(e.code), text)
}

// endingFor is the ending that goes with a refused authentication.
func endingFor(err error) *ending {
	switch {
	case errors.Is(err, errRevoked):
		return endRevoked
	case fault.Is(err, fault.Unauthenticated), fault.Is(err, fault.InvalidArgument):
		return endUnauthenticated
	case fault.Is(err, fault.ResourceExhausted):
		return endTooMany
	default:
		return endUnavailable
	}
}

// readEnding is the ending that goes with what ended the reader.
func readEnding(err error) *ending {
	var network net.Error
	switch {
	case errors.Is(err, errClosed):
		return endClient
	case errors.Is(err, errTooLarge):
		return endTooLarge
	case errors.Is(err, errProtocol):
		return endProtocol
	case errors.Is(err, io.EOF), errors.As(err, &network): // no close frame came
		return endLost
	default:
		return endFailed
	}
}

// writeEnding is the ending that goes with a failed write.
func writeEnding(err error) *ending {
	var network net.Error
	if errors.As(err, &network) && network.Timeout() {
		return endStalled
	}
	return endLost
}

// endMetrics counts ended connections.
type endMetrics struct{ closes *prometheus.CounterVec }

// newEndMetrics shows every ending from the start: a rate needs a zero.
func newEndMetrics(reg prometheus.Registerer) *endMetrics {
	m := &endMetrics{closes: prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "parley", Subsystem: "gateway", Name: "closes_total",
		Help: "WebSocket connections that ended, by the close code sent (none: the client or the network ended it) and why.",
	}, []string{"code", "reason"})}
	for _, e := range endings {
		m.of(e)
	}
	reg.MustRegister(m.closes)
	return m
}

func (m *endMetrics) of(e *ending) prometheus.Counter {
	code := "none"
	if e.code != 0 {
		code = strconv.Itoa(int(e.code))
	}
	return m.closes.WithLabelValues(code, e.reason)
}
