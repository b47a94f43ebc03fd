package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/parley-im/parley/pkg/telemetry"
)

const (
	readyPoll = 20 * time.Millisecond
	// readyTell is how often the log says what is waited for.
	readyTell = 5 * time.Second
	// readyAsk bounds one question.
	readyAsk = time.Second
)

// awaitAll waits until every part answers, or ctx ends.
func awaitAll(ctx context.Context, parts []part, log *slog.Logger) error {
	tell := time.NewTicker(readyTell)
	defer tell.Stop()
	poll := time.NewTicker(readyPoll)
	defer poll.Stop()
	for {
		err := askAll(ctx, parts)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tell.C:
			log.Warn("not ready yet", "error", err)
		case <-poll.C:
		}
	}
}

// askAll is nil when every part answers, else it says which do not and why.
func askAll(ctx context.Context, parts []part) error {
	ctx, cancel := context.WithTimeout(ctx, readyAsk)
	defer cancel()
	var errs []error
	for _, p := range parts {
		if err := p.answers(ctx); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", p.name, err))
		}
	}
	return errors.Join(errs...)
}

// gatewayAnswers asks a gateway by the way that clients take.
func gatewayAnswers(tel *telemetry.Telemetry, addr string) func(context.Context) error {
	return func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/", nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		return tel.Health.Ready(ctx)
	}
}

// readyLine is "ready" and the addresses of all that runs here.
func (h *house) readyLine(ops net.Addr) string {
	var list []string
	for _, addr := range h.gateways {
		list = append(list, partGateway+" http://"+addr)
	}
	list = append(list, "ops http://"+ops.String())
	list = append(list, h.servers.addresses...)
	return "ready: " + strings.Join(list, ", ")
}
