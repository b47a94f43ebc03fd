package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync"

	"github.com/nats-io/nats.go"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/telemetry"
)

// Option changes how Connect connects.
type Option func(*connector)

// WithHooks has h told of reconnects and dropped deliveries.
func WithHooks(h *Hooks) Option {
	return func(c *connector) { c.hooks = h }
}

// Connect connects a service to NATS and waits for the server until ctx ends.
// Afterwards the connection mends itself for ever; while it is broken,
// publishing fails at once, and the readiness check "nats", which Connect
// adds, fails. The caller closes the connection.
func Connect(ctx context.Context, cfg Config, service contract.Service, tel *telemetry.Telemetry, opts ...Option) (*nats.Conn, error) {
	c := &connector{
		log:     tel.Log,
		server:  cfg.redacted(),
		metrics: newConnMetrics(tel.Metrics),
		hooks:   &Hooks{},
		first:   make(chan struct{}),
	}
	for _, opt := range opts {
		opt(c)
	}
	own, err := cfg.options(service)
	if err != nil {
		return nil, fmt.Errorf("connect to NATS: %w", err)
	}
	nc, err := nats.Connect(cfg.URL, append(own, c.handlers()...)...)
	if err != nil {
		return nil, fmt.Errorf("connect to NATS at %s: %w", cfg.redacted(), withoutURL(err))
	}
	select {
	case <-c.first:
	case <-ctx.Done():
		err := c.whyNot(nc)
		nc.Close()
		return nil, fmt.Errorf("connect to NATS at %s: %w: %w", cfg.redacted(), ctx.Err(), err)
	}
	tel.Health.Add("nats", func(context.Context) error {
		if !nc.IsConnected() {
			return fmt.Errorf("NATS connection is %s", nc.Status())
		}
		return nil
	})
	return nc, nil
}

// connector is what a connection's handlers share.
type connector struct {
	log     *slog.Logger
	server  string // where to, without users and passwords
	metrics *connMetrics
	hooks   *Hooks
	first   chan struct{} // closed when connected for the first time

	mu      sync.Mutex
	attempt error // why the last attempt failed
}

// handlers run one after the other on the connection's callback goroutine.
func (c *connector) handlers() []nats.Option {
	return []nats.Option{
		nats.ConnectHandler(func(nc *nats.Conn) {
			c.log.Info("connected to NATS", "server", nc.ConnectedServerName())
			close(c.first)
		}),
		nats.ReconnectErrHandler(c.failed),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err == nil {
				return // closed by ourselves
			}
			c.metrics.disconnects.Inc()
			c.log.Warn("disconnected from NATS", "err", err)
		}),
		nats.ReconnectHandler(func(nc *nats.Conn) {
			c.metrics.reconnects.Inc()
			c.log.Info("reconnected to NATS", "server", nc.ConnectedServerName())
			c.hooks.reconnected()
		}),
		nats.ErrorHandler(c.async),
	}
}

// failed notes an attempt to connect that went wrong. The log has it once a
// state, not once a try: the first connect here, later ones as a disconnect.
func (c *connector) failed(_ *nats.Conn, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.attempt == nil {
		c.log.Warn("waiting for NATS", "server", c.server, "err", withoutURL(err))
	}
	c.attempt = err
}

// async hears what goes wrong outside any call.
func (c *connector) async(_ *nats.Conn, sub *nats.Subscription, err error) {
	subject := ""
	if sub != nil {
		subject = sub.Subject
	}
	switch {
	case errors.Is(err, nats.ErrSlowConsumer):
		c.metrics.errors.WithLabelValues("slow_consumer").Inc()
		c.log.Warn("messages dropped, a subscription is too slow", "subject", subject)
		if sub != nil {
			c.hooks.lost(sub)
		}
	case errors.Is(err, nats.ErrPermissionViolation):
		c.metrics.errors.WithLabelValues("permission").Inc()
		c.log.Error("NATS refuses what its user may not do", "subject", subject, "err", err)
	default:
		c.metrics.errors.WithLabelValues("other").Inc()
		c.log.Warn("NATS connection", "subject", subject, "err", err)
	}
}

// whyNot is the best reason known why nc is not connected.
func (c *connector) whyNot(nc *nats.Conn) error {
	if err := nc.LastError(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.attempt != nil {
		return c.attempt
	}
	return nats.ErrNoServers
}

// withoutURL drops the URL, and a password in it, from an error about it.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
