package telemetry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// opsStop bounds how long the operations port waits for answers in hand.
const opsStop = time.Second

// ServeOps serves the operations port until ctx ends: /healthz (the process
// lives), /readyz (every part is ready, and the state of each check), /metrics
// (all parts'), and /debug/pprof if asked. It is not for the public.
func ServeOps(ctx context.Context, addr string, withPProf bool, parts ...*Telemetry) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("open operations port: %w", err)
	}
	return ServeOpsOn(ctx, listener, withPProf, parts...)
}

// ServeOpsOn is ServeOps on a listener that is open already, and closes it.
func ServeOpsOn(ctx context.Context, listener net.Listener, withPProf bool, parts ...*Telemetry) error {
	server := &http.Server{
		Handler:           opsHandler(withPProf, parts),
		ReadHeaderTimeout: 5 * time.Second,
	}
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		wait, cancel := context.WithTimeout(context.WithoutCancel(ctx), opsStop)
		defer cancel()
		stopped <- server.Shutdown(wait)
	})
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		stop()
		return fmt.Errorf("serve operations port: %w", err)
	}
	if err := <-stopped; err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("stop operations port: %w", err)
	}
	return nil
}

func opsHandler(withPProf bool, parts []*Telemetry) http.Handler {
	gatherers := make(prometheus.Gatherers, len(parts))
	for i, part := range parts {
		gatherers[i] = part.Metrics
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) { readyz(w, r, parts) })
	mux.Handle("GET /metrics", promhttp.HandlerFor(gatherers, promhttp.HandlerOpts{EnableOpenMetrics: true}))
	if withPProf {
		mux.HandleFunc("/debug/pprof/", pprof.Index)
		mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
		mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	}
	return mux
}

// readyz answers {"status","checks":{"<service>":{"<check>":"ok"|why}}}: with
// 200 and "ready", or with 503 and "not ready" when a check of any part does
// not hold. One that only informs then reads "degraded: " and why, and changes
// neither.
func readyz(w http.ResponseWriter, r *http.Request, parts []*Telemetry) {
	status, word := http.StatusOK, "ready"
	checks := make(map[string]map[string]string, len(parts))
	for _, part := range parts {
		of := map[string]string{}
		for _, state := range part.Health.States(r.Context()) {
			if _, twice := of[state.Name]; state.Err != nil || !twice {
				of[state.Name] = state.String()
			}
			if state.Err != nil && !state.Informs {
				status, word = http.StatusServiceUnavailable, "not ready"
			}
		}
		checks[string(part.Service)] = of
	}
	writeJSON(w, status, map[string]any{"status": word, "checks": checks})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client has gone
}
