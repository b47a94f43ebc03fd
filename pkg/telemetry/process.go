package telemetry

import (
	"context"
	"fmt"
	"log/slog"

	"go.opentelemetry.io/otel"
)

// OwnProcess makes this telemetry the one of the whole process, in which other
// services may run: its metrics include the process's and Go's, and the loggers
// that libraries keep as globals, the standard library's and OpenTelemetry's,
// write into its log, in its format. It is for a program's main, once; one that
// links another such library adds [Lines].
func (t *Telemetry) OwnProcess() {
	t.Metrics.describeProcess()
	slog.SetLogLoggerLevel(slog.LevelWarn) // of the package log, into which net/http complains
	slog.SetDefault(t.Log)
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		t.Log.Warn("traces", "err", err)
	}))
}

// Lines writes the lines of a library that knows no levels into a structured
// log, as warnings: such libraries report troubles only.
func Lines(log *slog.Logger, library string) LineLog { return LineLog{log, library} }

// LineLog is what Lines returns.
type LineLog struct {
	log     *slog.Logger
	library string
}

const libraryMessage = "a library's log"

// Printf is the logger of go-redis.
func (l LineLog) Printf(ctx context.Context, format string, v ...any) {
	l.log.WarnContext(ctx, libraryMessage, "library", l.library, "text", fmt.Sprintf(format, v...))
}
