// Command echobot answers every text message in its rooms with the same text,
// once, also after a restart of anything, the bot included.
//
//	PARLEY_GATEWAYS=http://127.0.0.1:8080 PARLEY_ACCOUNT=echo PARLEY_PASSWORD=… go run ./pkg/client/examples/echobot
package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/parley-im/parley/pkg/client"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/run"
)

func main() { run.Main("echobot", echo) }

func echo(ctx context.Context) error {
	gateways := strings.Split(os.Getenv("PARLEY_GATEWAYS"), ",")
	if err := client.CheckGateways(gateways...); err != nil {
		return fmt.Errorf("PARLEY_GATEWAYS: %w; write http://127.0.0.1:8080, or several with commas", err)
	}
	for _, name := range []string{"PARLEY_ACCOUNT", "PARLEY_PASSWORD"} {
		if os.Getenv(name) == "" {
			return fmt.Errorf("%s is not set", name)
		}
	}
	c, err := client.Dial(ctx, client.Options{
		Gateways: gateways,
		Tokens:   &client.Credentials{Gateways: gateways, Account: os.Getenv("PARLEY_ACCOUNT"), Password: os.Getenv("PARLEY_PASSWORD")},
		Cursors:  client.NewFileCursors(cmp.Or(os.Getenv("PARLEY_CURSORS"), "echobot.json")),
		Log:      slog.New(slog.NewTextHandler(os.Stderr, nil)), // tells of gateways that cannot be reached
	})
	if err != nil {
		return err
	}
	defer c.Close()
	for {
		event, err := c.Next(ctx) // the message before has been answered
		if err != nil {
			return err
		}
		m, ok := event.(*client.Message)
		if !ok || m.SenderID == c.UserID() || m.Type != contract.MessageText {
			continue
		}
		// One message, one client_id: a crash between answer and cursor does no harm.
		if _, err := c.Send(ctx, m.RoomID, m.Content.Text, client.WithClientID("echo-"+m.ID)); err != nil {
			return err
		}
	}
}
