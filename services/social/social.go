// Package social owns friendships, and groups with their members: who may be
// in which room, and what they may do there.
package social

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/parley-im/parley/pkg/bus"
	"github.com/parley-im/parley/pkg/checkup"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/rpc"
	"github.com/parley-im/parley/pkg/run"
	"github.com/parley-im/parley/pkg/telemetry"
)

// Deps is what a caller of Run brings along.
type Deps struct {
	Telemetry *telemetry.Telemetry // required
	Now       func() time.Time     // nil: time.Now
}

// Run is the whole service, until ctx ends: then it answers what is in hand
// and stops.
func Run(ctx context.Context, cfg Config, deps Deps) (err error) {
	tel, now := deps.Telemetry, deps.Now
	if now == nil {
		now = time.Now
	}
	if err := cfg.check(); err != nil {
		return err
	}
	store, err := run.Open(ctx, tel.Log, func(ctx context.Context) (Store, error) { return OpenStore(ctx, cfg.Store) })
	if err != nil {
		return err
	}
	store = newTimed(store, cfg.Store, tel)
	defer func() { err = errors.Join(err, store.Close()) }()
	tel.Health.Add("store", store.Ping)

	nc, err := bus.ConnectStream(ctx, cfg.NATS, cfg.Stream, contract.Social, tel)
	if err != nil {
		return err
	}
	defer nc.Close()

	server := rpc.NewServer(nc, rpc.ServerOptions{
		Service: contract.Social, Version: run.Version, Workers: cfg.Workers, Queue: cfg.RPCQueue, Telemetry: tel,
	})
	tel.Health.Add("rpc", server.Ready)
	relay := bus.NewRelay(nc, store, bus.RelayOptions{Holder: server.Replica(), Telemetry: tel})
	calls := rpc.NewClient(nc, rpc.ClientOptions{Telemetry: tel})
	neighbours := &neighbours{calls: calls}
	friends := &friendships{store: store, maxRooms: cfg.MaxRooms, now: now}
	groups := &groups{
		store: store, maxMembers: cfg.MaxMembers, maxRooms: cfg.MaxRooms, head: neighbours.head, now: now,
	}
	out := &pushes{bus.NewPusher(nc, tel)}
	h := &handlers{
		store:   store,
		friends: friends,
		groups:  groups,
		users:   neighbours,
		admins:  &admins{store: store, friends: friends, groups: groups, out: out, now: now},
		out:     out,
		kick:    relay.Kick,
		checkup: &checkup.Replica{
			Service: contract.Social, ID: server.Replica(), Now: now, Health: tel.Health, Store: store, Conn: nc, NATS: cfg.NATS, Stream: cfg.Stream,
		},
	}
	h.register(server)

	// Stopped from the last to the first.
	g := run.NewGroup(ctx)
	g.Go("relay", relay.Run)
	g.Go("rpc", server.Run)
	return g.Serve(tel.Health)
}

// OpenStore opens the store that the URL names: sqlite:PATH, or mongodb://…
// and mongodb+srv://….
func OpenStore(ctx context.Context, url string) (Store, error) {
	path, isFile := strings.CutPrefix(url, sqliteScheme)
	switch {
	case isFile:
		return openSQLite(ctx, path)
	case strings.HasPrefix(url, "mongodb://"), strings.HasPrefix(url, "mongodb+srv://"):
		return openMongo(ctx, url)
	default:
		return nil, fmt.Errorf("open social store: its URL must begin with %s, mongodb:// or mongodb+srv://", sqliteScheme)
	}
}

// sqliteScheme begins the URL of a store in a file.
const sqliteScheme = "sqlite:"
