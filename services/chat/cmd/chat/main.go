// Command chat runs the chat service. Its settings come from the environment;
// see chat.Config.
package main

import (
	"context"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/run"
	"github.com/parley-im/parley/pkg/telemetry"
	"github.com/parley-im/parley/services/chat"
)

func main() {
	var cfg chat.Config
	run.Service(contract.Chat, &cfg, func() telemetry.Config { return cfg.Telemetry },
		func(ctx context.Context, tel *telemetry.Telemetry) error {
			return chat.Run(ctx, cfg, chat.Deps{Telemetry: tel})
		})
}
