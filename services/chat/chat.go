// Package chat owns messages: the log of each room, its sequence numbers, and
// how far each user has read. What it promises is that an acknowledged
// message is never lost, never doubled, and always in order.
package chat

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/parley-im/parley/pkg/bus"
	"github.com/parley-im/parley/pkg/checkup"
	"github.com/parley-im/parley/pkg/clock"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/rpc"
	"github.com/parley-im/parley/pkg/run"
	"github.com/parley-im/parley/pkg/telemetry"
)

// Deps is what a caller of Run brings along.
type Deps struct {
	Telemetry *telemetry.Telemetry // required
	Now       func() time.Time     // nil: time.Now
	// WrapStore is for tests of faults: what it returns is used, and closed at
	// the end, in place of the store that Config names. nil: the store itself.
	WrapStore func(Store) Store
}

// Run is the whole service, until ctx ends: then it answers what is in hand
// and stops.
func Run(ctx context.Context, cfg Config, deps Deps) (err error) {
	tel, now := deps.Telemetry, deps.Now
	if now == nil {
		now = time.Now
	}
	store, err := run.Open(ctx, tel.Log, func(ctx context.Context) (Store, error) { return deps.openStore(ctx, cfg.Store) })
	if err != nil {
		return err
	}
	store = newTimed(store, cfg.Store, tel)
	defer func() { err = errors.Join(err, store.Close()) }()
	tel.Health.Add("store", store.Ping)

	hooks := &bus.Hooks{}
	nc, err := bus.ConnectStream(ctx, cfg.NATS, cfg.Stream, contract.Chat, tel, bus.WithHooks(hooks))
	if err != nil {
		return err
	}
	defer nc.Close()

	clk := clock.New(store, now)
	tel.Health.Watch("clock", clk.Check)
	social := &neighbours{calls: rpc.NewClient(nc, rpc.ClientOptions{Telemetry: tel})}
	members := NewMemberships(social.membership, cfg.membershipOptions(now))
	memory := NewMemory(cfg.memoryOptions())
	if err := errors.Join(watchMemberships(nc, hooks, members, tel.Log), watchRemovals(nc, hooks, memory, tel.Log)); err != nil {
		return err
	}

	server := rpc.NewServer(nc, rpc.ServerOptions{
		Service: contract.Chat, Version: run.Version, Workers: cfg.Workers, Queue: cfg.RPCQueue, Telemetry: tel,
	})
	tel.Health.Add("rpc", server.Ready)
	relay := bus.NewRelay(nc, store, bus.RelayOptions{Holder: server.Replica(), Telemetry: tel})
	out := &pushes{bus.NewPusher(nc, tel)}
	log := NewLog(store, memory, out, cfg.logOptions(clk.Now), tel)
	tel.Health.Add("inserts", log.Ready)
	asked := newEdgeStore(store, max(leastTimeout, cfg.StoreTimeout), max(1, cfg.Workers/2), tel.Log)
	receipts := NewReceipts(out, cfg.receiptsOptions())
	reads := NewReads(asked.MoveReads, receipts, cfg.readsOptions(), newReadsMetrics(tel.Metrics))
	h := &handlers{
		store:    asked,
		memory:   memory,
		log:      log,
		hist:     &History{store: asked, memory: memory, metrics: newHistoryMetrics(tel.Metrics, memory)},
		members:  members,
		rooms:    &Rooms{store: asked, members: members, list: social.memberships, orders: newRoomOrders(now)},
		reads:    reads,
		remover:  &Remover{store: asked, memory: memory, members: members, within: cfg.RemoveWithin, now: clk.Now},
		personal: &Personal{store: asked, memory: memory, tell: out.Removed, now: clk.Now},
		out:      out,
		kick:     relay.Kick,
		checkup: &checkup.Replica{
			Service: contract.Chat, ID: server.Replica(), Now: now, Health: tel.Health, Store: store, Conn: nc, NATS: cfg.NATS, Stream: cfg.Stream,
		},
	}
	h.register(server)

	// Stopped from the last to the first: the server drains while the log
	// still commits.
	g := run.NewGroup(ctx)
	g.Go("clock", func(ctx context.Context) error { return clk.Run(ctx, tel.Log) })
	g.Go("log", log.Run)
	g.Go("receipts", receipts.Run)
	g.Go("reads", reads.Run)
	if retention := NewRetention(store, cfg.retentionOptions(clk.Trusted), tel.Log, relay.Kick); retention != nil {
		g.Go("retention", retention.Run)
	}
	g.Go("relay", relay.Run)
	g.Go("rpc", server.Run)
	return g.Serve(tel.Health)
}

func (d Deps) openStore(ctx context.Context, url string) (Store, error) {
	store, err := OpenStore(ctx, url)
	if err == nil && d.WrapStore != nil {
		store = d.WrapStore(store)
	}
	return store, err
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
		return nil, fmt.Errorf("open chat store: its URL must begin with %s, mongodb:// or mongodb+srv://", sqliteScheme)
	}
}

// sqliteScheme begins the URL of a store in a file.
const sqliteScheme = "sqlite:"
