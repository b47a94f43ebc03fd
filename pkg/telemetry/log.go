package telemetry

import (
	"context"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/lmittmann/tint"
	"github.com/mattn/go-isatty"
	"go.opentelemetry.io/otel/trace"
)

// newHandler writes for people on a terminal, and JSON everywhere else.
func newHandler(out io.Writer, level slog.Leveler) slog.Handler {
	if f, ok := out.(*os.File); ok && isatty.IsTerminal(f.Fd()) {
		return traced{tint.NewTextHandler(out, &tint.Options{Level: level, TimeFormat: time.TimeOnly})}
	}
	return traced{slog.NewJSONHandler(out, &slog.HandlerOptions{Level: level})}
}

// traced adds the request and the trace that a record belongs to, so that one
// line leads to all others about it, and to its trace and back.
type traced struct{ slog.Handler }

// Handle adds request_id when ctx has one, and trace_id and span_id when it has
// a span.
func (h traced) Handle(ctx context.Context, r slog.Record) error {
	if id := RequestID(ctx); id != "" {
		r.AddAttrs(slog.String("request_id", id))
	}
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		r.AddAttrs(slog.String("trace_id", span.TraceID().String()), slog.String("span_id", span.SpanID().String()))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs keeps the wrapping.
func (h traced) WithAttrs(attrs []slog.Attr) slog.Handler {
	return traced{h.Handler.WithAttrs(attrs)}
}

// WithGroup keeps the wrapping.
func (h traced) WithGroup(name string) slog.Handler { return traced{h.Handler.WithGroup(name)} }
