// Command faultypart is one of the services, or a gateway, with a clock that
// jumps on order, and a chat store whose inserts go wrong: POST an order to
// /faults on the operations port. It takes the flags of standalone, and runs the
// one part that -only names. The environment variable FAULTYPART_SABOTAGE breaks
// chat for good: ack-before-store or no-unique-key.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/parley-im/parley/e2e/faults/faultystore"
	"github.com/parley-im/parley/pkg/bus"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/run"
	"github.com/parley-im/parley/pkg/telemetry"
	"github.com/parley-im/parley/standalone/embedded"
)

func main() {
	run.Main("faultypart", func(ctx context.Context) error { return serve(ctx) })
}

// place is where a part runs, and by which clock.
type place struct {
	addr     string // of a gateway
	natsURL  string
	redisURL string
	secrets  embedded.Secrets
	clock    *faultystore.Clock
	ops      *http.ServeMux
}

// part is a service that has read its settings.
type part struct {
	tel   *telemetry.Telemetry
	serve func(context.Context) error
}

func serve(ctx context.Context) error {
	p := place{clock: &faultystore.Clock{}, ops: http.NewServeMux()}
	opsAddr := flag.String("ops-addr", "127.0.0.1:9090", "`address` for orders and metrics")
	data := flag.String("data", "./data", "`directory` with the passwords")
	natsAddr := flag.String("nats-addr", "127.0.0.1:4222", "`address` of NATS")
	redisAddr := flag.String("redis-addr", "", "`address` of Redis")
	only := flag.String("only", "", "the `part` to run")
	flag.StringVar(&p.addr, "addr", "127.0.0.1:8080", "`address` of the gateway")
	flag.Parse()

	secrets, err := embedded.LoadSecrets(ctx, *data)
	if err != nil {
		return err
	}
	p.secrets, p.natsURL, p.redisURL = secrets, "nats://"+*natsAddr, embedded.RedisURL(*redisAddr, secrets.Redis)
	build, ok := map[contract.Service]func(context.Context, place) (part, error){
		contract.Auth: authPart, contract.Social: socialPart, contract.Chat: chatPart, contract.Gateway: gatewayPart,
	}[contract.Service(*only)]
	if !ok {
		return fmt.Errorf("-only: there is no part %q", *only)
	}
	service, err := build(ctx, p)
	if err != nil {
		return err
	}
	service.tel.Health.Starting() // the service says when it has started
	p.ops.Handle("GET /metrics", promhttp.HandlerFor(service.tel.Metrics, promhttp.HandlerOpts{}))
	g := run.NewGroup(ctx)
	g.Go("operations port", func(ctx context.Context) error { return listen(ctx, *opsAddr, p.ops) })
	g.Go(*only, service.serve)
	g.Go("readiness", func(ctx context.Context) error { return tellReady(ctx, service.tel) })
	return g.Wait()
}

// bus is how a service connects to NATS.
func (p place) bus(own bus.Config, service contract.Service) bus.Config {
	own.URL, own.User, own.Password = p.natsURL, string(service), p.secrets.NATS[string(service)]
	return own
}

// listen serves the operations port until ctx ends.
func listen(ctx context.Context, addr string, handler http.Handler) error {
	server := &http.Server{Addr: addr, Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// tellReady says when the service answers, as standalone does.
func tellReady(ctx context.Context, tel *telemetry.Telemetry) error {
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for tel.Health.Ready(ctx) != nil {
		select {
		case <-ctx.Done():
			return nil
		case <-poll.C:
		}
	}
	fmt.Fprintln(os.Stdout, "ready")
	<-ctx.Done()
	return nil
}
