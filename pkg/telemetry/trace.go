package telemetry

import (
	"context"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
)

// newTracer exports spans when an endpoint is set, and otherwise makes none.
func newTracer(ctx context.Context, service contract.Service, version string, cfg Config) (trace.TracerProvider, func(context.Context) error, error) {
	if cfg.OTLPEndpoint == "" {
		return noop.NewTracerProvider(), func(context.Context) error { return nil }, nil
	}
	// As OTEL_EXPORTER_OTLP_ENDPOINT is defined: the signal's path follows it.
	traces := strings.TrimSuffix(cfg.OTLPEndpoint, "/") + "/v1/traces"
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(traces))
	if err != nil {
		return nil, nil, err
	}
	provider := sdk.NewTracerProvider(
		sdk.WithBatcher(exporter),
		sdk.WithSampler(sdk.ParentBased(sdk.TraceIDRatioBased(cfg.SampleRatio))),
		sdk.WithResource(resource.NewSchemaless(
			attribute.String("service.namespace", "parley"),
			attribute.String("service.name", string(service)),
			attribute.String("service.instance.id", id.New()), // tells replicas apart
			attribute.String("service.version", version),
		)),
	)
	return provider, provider.Shutdown, nil
}

// Inject writes the trace of ctx into headers as W3C traceparent; none when
// ctx has no span. nats.Header and http.Header can be given.
func Inject(ctx context.Context, header map[string][]string) {
	propagation.TraceContext{}.Inject(ctx, carrier(header))
}

// Extract returns ctx with the trace that the headers carry, if any.
func Extract(ctx context.Context, header map[string][]string) context.Context {
	if len(header) == 0 {
		return ctx
	}
	return propagation.TraceContext{}.Extract(ctx, carrier(header))
}

// carrier keeps keys as they are written: NATS does not fold their case.
type carrier map[string][]string

// Get returns the first value.
func (c carrier) Get(key string) string {
	if values := c[key]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// Set replaces all values.
func (c carrier) Set(key, value string) { c[key] = []string{value} }

// Keys lists the keys.
func (c carrier) Keys() []string {
	keys := make([]string, 0, len(c))
	for key := range c {
		keys = append(keys, key)
	}
	return keys
}
