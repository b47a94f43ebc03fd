package embedded

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
)

// natsLog writes what the NATS server has to say into a structured log:
// ordinary news at debug, troubles at warn. The addresses in it are those of
// services, not of users.
type natsLog struct {
	log *slog.Logger

	mu    sync.Mutex
	first error // the first fatal error; the server does not go on after it
}

const natsMessage = "nats server"

func (l *natsLog) debugs() bool { return l.log.Enabled(context.Background(), slog.LevelDebug) }

// fatal is why the server could not start, or nil.
func (l *natsLog) fatal() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.first
}

func (l *natsLog) Noticef(format string, v ...any) { l.debug(format, v) }
func (l *natsLog) Debugf(format string, v ...any)  { l.debug(format, v) }
func (l *natsLog) Tracef(format string, v ...any)  { l.debug(format, v) }
func (l *natsLog) Errorf(format string, v ...any)  { l.warn(format, v) }

// Warnf leaves out the advice to hash passwords: the server has them from
// this process's memory, not from a file.
func (l *natsLog) Warnf(format string, v ...any) {
	if strings.Contains(format, "Plaintext passwords") {
		l.debug(format, v)
		return
	}
	l.warn(format, v)
}

func (l *natsLog) Fatalf(format string, v ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.first == nil {
		l.first = fmt.Errorf(format, v...)
	}
}

func (l *natsLog) debug(format string, v []any) {
	if l.debugs() {
		l.log.Debug(natsMessage, "text", fmt.Sprintf(format, v...))
	}
}

func (l *natsLog) warn(format string, v []any) {
	l.log.Warn(natsMessage, "text", fmt.Sprintf(format, v...))
}
