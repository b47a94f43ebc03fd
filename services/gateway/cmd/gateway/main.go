// Command gateway runs the gateway. Its settings come from the environment;
// see gateway.Config.
package main

import (
	"context"

	"github.com/redis/go-redis/v9"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/run"
	"github.com/parley-im/parley/pkg/telemetry"
	"github.com/parley-im/parley/services/gateway"
)

func main() {
	var cfg gateway.Config
	run.Service(contract.Gateway, &cfg, func() telemetry.Config { return cfg.Telemetry },
		func(ctx context.Context, tel *telemetry.Telemetry) error {
			redis.SetLogger(telemetry.Lines(tel.Log, "redis")) // a global of its own
			return gateway.Run(ctx, cfg, gateway.Deps{Telemetry: tel})
		})
}
