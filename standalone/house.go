package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/run"
	"github.com/parley-im/parley/pkg/telemetry"
	"github.com/parley-im/parley/standalone/embedded"
)

const (
	// stopBudget is how long all parts together may take to stop.
	stopBudget = 9 * time.Second
	// traceBudget is how long traces that are left may take to be sent.
	traceBudget = time.Second
)

// part is a service, or one of several gateways, in this process.
type part struct {
	name string
	tel  *telemetry.Telemetry
	run  func(ctx context.Context) error
	// answers is nil once the part takes work.
	answers func(ctx context.Context) error
}

// startAll starts, in this order, the operations port, the servers, the
// services and the gateways. All of it stops with g, in reverse order.
func startAll(ctx context.Context, g *run.Group, f flags, s Settings, out io.Writer) error {
	own, err := telemetry.New(ctx, ownName, run.Version, s.Telemetry)
	if err != nil {
		return err
	}
	g.OnStop("traces", closing(own))
	own.OwnProcess()
	redis.SetLogger(telemetry.Lines(own.Log, "redis")) // a global of its own
	run.WarnLookalikes(own.Log, slices.Collect(maps.Values(configs()))...)
	servers, err := startServers(ctx, g, f, s, own.Log)
	if err != nil {
		return err
	}
	h := &house{flags: f, settings: s, servers: servers}
	services, gateways, err := h.parts(ctx)
	if err != nil {
		return err
	}
	all := append(services[:len(services):len(services)], gateways...)
	tels := []*telemetry.Telemetry{own}
	for _, p := range all {
		tels = append(tels, p.tel)
	}
	g.OnStop("traces of the services", closing(tels[1:]...))
	ops, err := new(net.ListenConfig).Listen(ctx, "tcp", f.opsAddr)
	if err != nil {
		return fmt.Errorf("open operations port: %w", err)
	}
	if servers.natsOwn && f.runs(partNATS) {
		if err := writeAddresses(f.data, servers.natsURL, ops.Addr()); err != nil {
			return errors.Join(err, ops.Close())
		}
	}
	g.Go("operations port", func(ctx context.Context) error {
		return telemetry.ServeOpsOn(ctx, ops, s.Telemetry.PProf, tels...)
	})
	for _, p := range services {
		g.Go(p.name, p.run)
	}
	if len(gateways) > 0 {
		g.Go("gateways", together(gateways))
	}
	g.Go("readiness", func(ctx context.Context) error {
		if awaitAll(ctx, all, own.Log) == nil {
			if err := embedded.RecordStores(ctx, f.data, s.storeFiles(f)); err != nil {
				own.Log.Warn("the stores in use are not recorded: a lost one would not be noticed", "err", err)
			}
			fmt.Fprintln(out, h.readyLine(ops.Addr()))
		}
		<-ctx.Done()
		return nil
	})
	return nil
}

// ownName is what standalone itself is called in logs and metrics.
const ownName contract.Service = "standalone"

// together runs the parts side by side, so that their stops don't add up.
func together(parts []part) func(context.Context) error {
	return func(ctx context.Context) error {
		g, ctx := errgroup.WithContext(ctx)
		for _, p := range parts {
			g.Go(func() error { // ends with ctx, or ends it
				if err := p.run(ctx); err != nil {
					return fmt.Errorf("%s: %w", p.name, err)
				}
				if ctx.Err() == nil {
					return fmt.Errorf("%s ended by itself", p.name)
				}
				return nil
			})
		}
		return g.Wait()
	}
}

// closing sends what traces are left.
func closing(tels ...*telemetry.Telemetry) func(context.Context) error {
	return func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, traceBudget)
		defer cancel()
		var g errgroup.Group
		for _, tel := range tels {
			g.Go(func() error { return tel.Close(ctx) }) // bounded by ctx
		}
		return g.Wait()
	}
}

// waitStopped waits for g, and after ctx ended no longer than stopBudget:
// nothing is lost with what then still runs.
func waitStopped(ctx context.Context, g *run.Group) error {
	stopped := make(chan error, 1)
	go func() { stopped <- g.Wait() }() // ends with g; the process ends with us
	select {
	case err := <-stopped:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-stopped:
		return err
	case <-time.After(stopBudget):
		return errors.New("not everything stopped in time")
	}
}
