// Command social runs the social service. Its settings come from the environment;
// see social.Config.
package main

import (
	"context"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/run"
	"github.com/parley-im/parley/pkg/telemetry"
	"github.com/parley-im/parley/services/social"
)

func main() {
	var cfg social.Config
	run.Service(contract.Social, &cfg, func() telemetry.Config { return cfg.Telemetry },
		func(ctx context.Context, tel *telemetry.Telemetry) error {
			return social.Run(ctx, cfg, social.Deps{Telemetry: tel})
		})
}
