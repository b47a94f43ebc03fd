// Package telemetry gives each service its log, metrics, traces and health,
// all hanging on one value: several services may run in one process, each
// with its own.
package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/parley-im/parley/pkg/contract"
)

// Config is embedded in each service's own. Its variables are shared: a
// service's prefix may stand before them and then wins.
type Config struct {
	LogLevel     slog.Level `envconfig:"LOG_LEVEL" default:"info" desc:"The least that is logged: debug, info, warn or error."`
	OpsAddr      string     `envconfig:"OPS_ADDR" default:"127.0.0.1:9090" form:"address" desc:"Where /healthz, /readyz and /metrics are served."`
	OTLPEndpoint string     `envconfig:"OTEL_EXPORTER_OTLP_ENDPOINT" desc:"Base URL of an OpenTelemetry collector (OTLP over HTTP). Empty: no traces."`
	SampleRatio  float64    `envconfig:"TRACE_SAMPLE_RATIO" default:"0.01" desc:"The part of traces begun here that is recorded, 0 to 1."`
	PProf        bool       `envconfig:"PPROF" default:"false" desc:"Serve /debug/pprof on the operations port."`
}

// Telemetry is what a service tells about itself.
type Telemetry struct {
	Service contract.Service
	Log     *slog.Logger
	Metrics *Metrics
	Tracer  trace.TracerProvider
	Health  *Health

	stop func(context.Context) error
}

// New starts a service's telemetry. Close it after everything that uses it.
func New(ctx context.Context, service contract.Service, version string, cfg Config) (*Telemetry, error) {
	tracer, stop, err := newTracer(ctx, service, version, cfg)
	if err != nil {
		return nil, fmt.Errorf("start tracing: %w", err)
	}
	health := NewHealth()
	t := &Telemetry{
		Service: service,
		Log:     slog.New(newHandler(os.Stderr, cfg.LogLevel)).With(slog.String("service", string(service))),
		Metrics: newMetrics(service, health),
		Tracer:  tracer,
		Health:  health,
		stop:    stop,
	}
	if err := t.Metrics.describe(version, Revision()); err != nil {
		return nil, errors.Join(err, stop(ctx))
	}
	return t, nil
}

// Discard logs and traces nothing, and counts into metrics of its own; for
// tests and clients without telemetry.
func Discard(service contract.Service) *Telemetry {
	health := NewHealth()
	return &Telemetry{
		Service: service,
		Log:     slog.New(slog.DiscardHandler),
		Metrics: newMetrics(service, health),
		Tracer:  noop.NewTracerProvider(),
		Health:  health,
		stop:    func(context.Context) error { return nil },
	}
}

// Close sends what traces are left, as long as ctx allows.
func (t *Telemetry) Close(ctx context.Context) error {
	if err := t.stop(ctx); err != nil {
		return fmt.Errorf("stop tracing: %w", err)
	}
	return nil
}

// Metrics is a registry whose every metric carries the label service, so that
// those of several services in one process can be told apart. It knows what
// is registered in it.
type Metrics struct {
	labelled prometheus.Registerer
	registry *prometheus.Registry

	mu         sync.Mutex
	registered []prometheus.Collector
}

func newMetrics(service contract.Service, health *Health) *Metrics {
	registry := prometheus.NewRegistry()
	m := &Metrics{
		labelled: prometheus.WrapRegistererWith(prometheus.Labels{"service": string(service)}, registry),
		registry: registry,
	}
	m.MustRegister(newChecks(health))
	return m
}
