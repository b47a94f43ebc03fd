// Command gateway runs the gateway. Its settings come from the environment;
// see gateway.Config.
package main

import (
	"context"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/run"
	"github.com/parley-im/parley/pkg/telemetry"
	"github.com/parley-im/parley/services/gateway"
)

func main() {
	var cfg gateway.Config
	run.Service(contract.Gateway, &cfg, func() telemetry.Config { return cfg.Telemetry },
		func(ctx context.Context, tel *telemetry.Telemetry) error {
			return gateway.Run(ctx, cfg, gateway.Deps{Telemetry: tel})
		})
}
