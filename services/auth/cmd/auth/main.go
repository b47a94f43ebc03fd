// Command auth runs the auth service. Its settings come from the environment;
// see auth.Config.
package main

import (
	"context"

	"github.com/redis/go-redis/v9"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/run"
	"github.com/parley-im/parley/pkg/telemetry"
	"github.com/parley-im/parley/services/auth"
)

func main() {
	var cfg auth.Config
	run.Service(contract.Auth, &cfg, func() telemetry.Config { return cfg.Telemetry },
		func(ctx context.Context, tel *telemetry.Telemetry) error {
			redis.SetLogger(telemetry.Lines(tel.Log, "redis")) // a global of its own
			return auth.Run(ctx, cfg, auth.Deps{Telemetry: tel})
		})
}
