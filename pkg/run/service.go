package run

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/telemetry"
)

// Version is what a released binary says it is; the linker sets it:
// -ldflags "-X github.com/parley-im/parley/pkg/run.Version=1.2.3".
var Version = "0.0.0-dev"

// closeWait bounds how long telemetry may take to send what is left.
const closeWait = 3 * time.Second

// Service is the whole main of a service's own binary: configuration from
// the environment, telemetry, the operations port, and serve until a signal
// comes. cfg points to the service's Config; part returns the telemetry's
// part of it once it is filled.
//
// The flag -version tells what the binary was built from, and -check asks the
// running service whether it is ready; both exit then.
func Service(name contract.Service, cfg any, part func() telemetry.Config, serve func(context.Context, *telemetry.Telemetry) error) {
	flags := flag.NewFlagSet(string(name), flag.ContinueOnError)
	version := flags.Bool("version", false, "print version and revision, and exit")
	check := flags.Bool("check", false, "ask the service that runs here, at OPS_ADDR, whether it is ready; exit with 0 or 1")
	Main(string(name), func(ctx context.Context) error {
		err := ParseFlags(flags, os.Args[1:], fmt.Sprintf("%s runs Parley's service of this name; its settings come from the environment.", name), os.Stderr)
		switch {
		case errors.Is(err, flag.ErrHelp):
			return nil
		case err != nil:
			return err
		case *version:
			_, err := fmt.Fprintf(os.Stdout, "parley %s %s (%s)\n", name, Version, telemetry.Revision())
			return err
		case *check:
			return checkSelf(ctx, name, os.Stdout)
		}
		if err := errors.Join(Config(prefix(name), cfg), CheckNames(prefix(name), cfg)); err != nil {
			return fmt.Errorf("configuration: %w", err)
		}
		tel, err := telemetry.New(ctx, name, Version, part())
		if err != nil {
			return err
		}
		tel.OwnProcess()
		WarnLookalikes(tel.Log, cfg)
		tel.Health.Starting() // the service says when it has started
		g := NewGroup(ctx)
		g.Go("operations port", func(ctx context.Context) error {
			return telemetry.ServeOps(ctx, part().OpsAddr, part().PProf, tel)
		})
		// Its parts have their own times to stop, which may add up to more
		// than one part's.
		g.GoWithin(string(name), 0, func(ctx context.Context) error { return serve(ctx, tel) })
		err = g.Wait()
		wait, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeWait)
		defer cancel()
		return errors.Join(err, tel.Close(wait))
	})
}

// prefix begins the names of a service's own variables.
func prefix(name contract.Service) string { return strings.ToUpper(string(name)) }
