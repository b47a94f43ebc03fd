// Command faultychat is the chat service with a store whose inserts go wrong,
// and a clock that jumps, on order: POST an order to /faults on the operations port. It takes the
// flags of standalone. The environment variable FAULTYCHAT_SABOTAGE breaks it
// for good: ack-before-store or no-unique-key.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/parley-im/parley/e2e/faults/faultystore"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/run"
	"github.com/parley-im/parley/pkg/telemetry"
	"github.com/parley-im/parley/services/chat"
	"github.com/parley-im/parley/standalone/embedded"
)

func main() {
	run.Main("faultychat", func(ctx context.Context) error { return serve(ctx) })
}

func serve(ctx context.Context) error {
	opsAddr := flag.String("ops-addr", "127.0.0.1:9090", "`address` for orders")
	data := flag.String("data", "./data", "`directory` with the passwords")
	natsAddr := flag.String("nats-addr", "127.0.0.1:4222", "`address` of NATS")
	flag.String("redis-addr", "", "not used")
	flag.String("only", "", "not used")
	flag.Parse()

	var cfg chat.Config
	if err := run.Config("CHAT", &cfg); err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	secrets, err := embedded.LoadSecrets(ctx, *data)
	if err != nil {
		return err
	}
	cfg.NATS.URL, cfg.NATS.User, cfg.NATS.Password = "nats://"+*natsAddr, string(contract.Chat), secrets.NATS[string(contract.Chat)]
	tel, err := telemetry.New(ctx, contract.Chat, run.Version, cfg.Telemetry)
	if err != nil {
		return err
	}
	wrap, err := sabotaged(ctx, cfg.Store)
	if err != nil {
		return err
	}
	orders, clock := http.NewServeMux(), &faultystore.Clock{}
	g := run.NewGroup(ctx)
	g.Go("orders", func(ctx context.Context) error { return listen(ctx, *opsAddr, orders) })
	g.Go("chat", func(ctx context.Context) error {
		return chat.Run(ctx, cfg, chat.Deps{Telemetry: tel, Now: clock.Now, WrapStore: func(inner chat.Store) chat.Store {
			store := faultystore.New(wrap(inner), clock)
			orders.Handle("POST /faults", store)
			return store
		}})
	})
	g.Go("readiness", func(ctx context.Context) error { return tellReady(ctx, tel) })
	return g.Wait()
}

// sabotaged breaks what it is told to.
func sabotaged(ctx context.Context, store string) (wrap func(chat.Store) chat.Store, err error) {
	wrap = func(s chat.Store) chat.Store { return s }
	switch what := os.Getenv("FAULTYCHAT_SABOTAGE"); what {
	case "":
		return wrap, nil
	case faultystore.AckBeforeStore:
		return faultystore.AckFirst, nil
	case faultystore.NoUniqueKey:
		made, err := chat.OpenStore(ctx, store)
		if err != nil {
			return nil, err
		}
		return wrap, errors.Join(made.Close(), faultystore.DropUniqueKey(ctx, store))
	default:
		return nil, fmt.Errorf("FAULTYCHAT_SABOTAGE: there is no %q", what)
	}
}

// listen takes orders until ctx ends.
func listen(ctx context.Context, addr string, orders http.Handler) error {
	server := &http.Server{Addr: addr, Handler: orders, ReadHeaderTimeout: 5 * time.Second}
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
	for {
		states := tel.Health.States(ctx)
		serves := slices.ContainsFunc(states, func(s telemetry.CheckState) bool { return s.Name == "rpc" })
		if serves && tel.Health.Ready(ctx) == nil {
			fmt.Fprintln(os.Stdout, "ready")
			break
		}
		select {
		case <-ctx.Done():
			return nil
		case <-poll.C:
		}
	}
	<-ctx.Done()
	return nil
}
