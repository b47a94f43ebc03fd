// Package auth owns users: their accounts, passwords and verification codes,
// their sessions, and the keys that sign access tokens.
package auth

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
	deliver, reaches, err := newDelivery(cfg, tel.Log)
	if err != nil {
		return err
	}
	store, err := openCurrent(ctx, cfg.Store, tel)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	shared := newClock(ctx, store, now, tel)
	now = shared.Now
	keys := &keyring{store: store, secret: Secret(cfg.KeySecret), o: cfg.keyOptions(), now: now, trusted: shared.Trusted, log: tel.Log}
	if _, err := keys.load(ctx); err != nil {
		return err
	}

	guards, err := openGuards(cfg, tel)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, guards.counts.Close()) }()

	nc, err := bus.ConnectStream(ctx, cfg.NATS, cfg.Stream, contract.Auth, tel)
	if err != nil {
		return err
	}
	defer nc.Close()

	server := rpc.NewServer(nc, rpc.ServerOptions{
		Service: contract.Auth, Version: run.Version, Workers: cfg.Workers, Queue: cfg.RPCQueue, Telemetry: tel,
	})
	tel.Health.Add("rpc", server.Ready)
	relay := bus.NewRelay(nc, store, bus.RelayOptions{Holder: server.Replica(), Telemetry: tel})
	mails := newMailQueue(cfg.MailQueue, deliver, tel)
	sessions := &sessions{
		store: store, keys: keys, accessTTL: cfg.AccessTTL, ttl: cfg.SessionTTL, most: max(1, cfg.MaxSessions),
		out: &pushes{bus.NewPusher(nc, tel)}, now: now, stamp: shared.Stamp, trusted: shared.Trusted, log: tel.Log,
	}
	accounts := &accounts{store: store, guards: guards, sessions: sessions, mails: mails, reaches: reaches, now: now}
	failed := newFailedLogins(store, guards.limits, now, tel.Log, relay.Kick, tel.Metrics)
	h := &handlers{
		accounts: accounts, credentials: &credentials{accounts: accounts, failed: failed, log: tel.Log}, sessions: sessions,
		keys: keys, clock: shared, kick: relay.Kick,
		checkup: &checkup.Replica{
			Service: contract.Auth, ID: server.Replica(), Now: now, Health: tel.Health, Store: store, Conn: nc, NATS: cfg.NATS, Stream: cfg.Stream,
		},
	}
	h.register(server)
	others := &neighbours{calls: rpc.NewClient(nc, rpc.ClientOptions{Telemetry: tel}), log: tel.Log}
	(&adminHandlers{admins: &admins{accounts: accounts, keys: keys, announce: others.announce}, keys: keys, kick: relay.Kick}).register(server)

	// Stopped from the last to the first.
	g := run.NewGroup(ctx)
	g.Go("relay", relay.Run)
	g.Go("failed logins", failed.Run)
	g.Go("mail", mails.Run)
	g.Go("sweeper", (&sweeper{store: store, sessions: sessions, trusted: shared.Trusted, every: cfg.SweepEvery, log: tel.Log, kick: relay.Kick}).Run)
	g.Go("keys", keys.Run)
	g.Go("clock", func(ctx context.Context) error { return shared.Run(ctx, tel.Log) })
	g.Go("rpc", server.Run)
	return g.Serve(tel.Health)
}

// openCurrent opens the store, and brings what it keeps up to date.
func openCurrent(ctx context.Context, url string, tel *telemetry.Telemetry) (Store, error) {
	store, err := run.Open(ctx, tel.Log, func(ctx context.Context) (Store, error) { return OpenStore(ctx, url) })
	if err != nil {
		return nil, err
	}
	store = newTimed(store, url, tel)
	if err := carryEmails(ctx, store, tel.Log); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	tel.Health.Add("store", store.Ping)
	return store, nil
}

// newClock returns the clock of the replicas, measured once if the store
// answers.
func newClock(ctx context.Context, store Store, own func() time.Time, tel *telemetry.Telemetry) *clock.Clock {
	shared := clock.New(store, own)
	if err := shared.Check(ctx); err != nil {
		tel.Log.WarnContext(ctx, "compare the clocks", "err", err)
	}
	tel.Health.Watch("clock", shared.Check)
	return shared
}

// guards stand between a guesser and an account.
type guards struct {
	counts    *redisStore // what limits and codes are in
	passwords *passwords
	limits    *limits
	codes     *codes
	metrics   *metrics
}

func openGuards(cfg Config, tel *telemetry.Telemetry) (*guards, error) {
	m, secret := newMetrics(tel.Metrics), Secret(cfg.KeySecret)
	names, err := secret.derive(forNames)
	if err != nil {
		return nil, err
	}
	key, err := secret.derive(forCodes)
	if err != nil {
		return nil, err
	}
	counts, err := openRedis(cfg.RedisURL, cfg.RedisCAFile)
	if err != nil {
		return nil, err
	}
	tel.Health.Watch("redis", counts.Ping) // all replicas share it: they still refresh tokens and end sessions
	return &guards{
		counts:    counts,
		passwords: newPasswords(cfg.passwordOptions(), m.hashWait),
		limits:    &limits{counters: counts, names: names, o: cfg.limitOptions(), refused: m.limited},
		codes:     &codes{store: counts, names: names, key: key},
		metrics:   m,
	}, nil
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
		return nil, fmt.Errorf("open auth store: its URL must begin with %s, mongodb:// or mongodb+srv://", sqliteScheme)
	}
}

// sqliteScheme begins the URL of a store in a file.
const sqliteScheme = "sqlite:"
