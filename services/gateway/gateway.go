// Package gateway is where clients connect: the HTTP API and WebSocket. It is
// stateless; any number of gateways stand behind a load balancer.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/nats-io/nats.go"

	"github.com/parley-im/parley/pkg/bus"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/rpc"
	"github.com/parley-im/parley/pkg/run"
	"github.com/parley-im/parley/pkg/telemetry"
	"github.com/parley-im/parley/pkg/token"
)

// scope names this package's tracers.
const scope = "github.com/parley-im/parley/services/gateway"

// Deps is what a caller of Run brings along.
type Deps struct {
	Telemetry *telemetry.Telemetry // required
	Now       func() time.Time     // nil: time.Now
	Listener  net.Listener         // nil: Config.Addr is opened; Run closes it
	Site      fs.FS                // the web client's build; nil: the one that was embedded
}

// Run is the whole gateway, until ctx ends: then it sends its sockets away,
// answers the requests in hand, and stops.
func Run(ctx context.Context, cfg Config, deps Deps) error {
	tel, now := deps.Telemetry, deps.Now
	if now == nil {
		now = time.Now
	}
	if err := cfg.check(); err != nil {
		return err
	}
	cfg.MaxConns = fittingConns(cfg.MaxConns, openFiles(), tel.Log)
	redis, err := openRedis(cfg.RedisURL, cfg.RedisCAFile)
	if err != nil {
		return err
	}
	defer redis.Close()
	hooks := &bus.Hooks{}
	nc, err := bus.Connect(ctx, cfg.NATS, contract.Gateway, tel, bus.WithHooks(hooks))
	if err != nil {
		return err
	}
	defer nc.Close()
	calls := rpc.NewClient(nc, rpc.ClientOptions{Telemetry: tel})

	// Who may call, and how often.
	authTime := newAuthTime(now)
	keys := newKeys(calls, cfg.KeysInterval, authTime, tel.Log)
	revoked := newRevocations(authTime.Now)
	feed := newRevocationFeed(nc, calls, revoked, now, cfg.RevokedInterval, tel.Log)
	limiter := newLimiter(redis, newLimitMetrics(tel.Metrics), tel.Log)
	auth := &authentication{keys: keys, revoked: revoked}

	// Who is connected, and what they get.
	hub := newHub(nc, tel)
	conns := newRegistry(cfg.SocketConfig, authTime.Now, tel.Metrics, tel.Log)
	resync := newResyncer(hub, calls, cfg.ResyncInterval, tel.Metrics, tel.Log)
	revoked.OnRevoked(conns.Revoked)
	hooks.OnReconnect(hub.Reconnected)
	hooks.OnReconnect(feed.Missed)
	hooks.OnDropped(hub.Dropped)
	hooks.OnDropped(func(*nats.Subscription) { feed.Missed() })

	replicas := newReplicas(func(ctx context.Context) ([]string, error) {
		return rpc.Replicas(ctx, nc, contract.Chat, 0)
	}, cfg.ReplicasInterval, tel.Log)
	api, err := newAPI(cfg, deps, calls, auth, limiter, replicas)
	if err != nil {
		return err
	}
	sockets := newSockets(cfg, tel, api, hub, conns)
	tel.Health.Add("keys", keys.Ready)
	tel.Health.Add("revocations", revoked.Ready)
	tel.Health.Watch("clock", authTime.Check)
	tel.Health.Watch("redis", limiter.Reachable) // all gateways share it: their users go on

	// Stopped from the last to the first: sockets and requests go while what
	// they need still runs.
	g := run.NewGroup(ctx)
	g.Go("keys", keys.Run)
	g.Go("revocations", feed.Run)
	g.Go("limits", limiter.leases.Run)
	g.Go("replicas", replicas.Run)
	g.Go("hub", hub.Run)
	g.Go("resync", resync.Run)
	g.Go("sweep", conns.Run)
	g.GoWithin("http", cfg.StopTimeout+run.StopTimeout, func(ctx context.Context) error { return serveHTTP(ctx, cfg, deps.Listener, api, sockets) })
	g.OnStopWithin("sockets", cfg.DrainTime+2*drainMargin, func(ctx context.Context) error {
		tel.Health.Drain()
		api.leaving.Store(true)
		conns.Drain(ctx)
		return nil
	})
	tel.Health.Started()
	return g.Wait()
}

// newAPI wires the HTTP half.
func newAPI(cfg Config, deps Deps, calls *rpc.Client, auth *authentication, limiter *limiter, replicas *replicas) (*api, error) {
	origins, originsErr := newOrigins(cfg.Origins)
	addresses, addressesErr := newAddresses(cfg.TrustedProxies, cfg.LimitLoopback, deps.Telemetry.Log)
	pages, pagesErr := newPages(run.Version)
	site, siteErr := newSite(deps.Site)
	if err := errors.Join(originsErr, addressesErr, pagesErr, siteErr); err != nil {
		return nil, err
	}
	tel := deps.Telemetry
	return &api{
		cfg:       cfg,
		log:       tel.Log,
		tracer:    tel.Tracer.Tracer(scope),
		metrics:   newHTTPMetrics(tel.Metrics),
		repairs:   newRepairMetrics(tel.Metrics),
		calls:     calls,
		auth:      auth,
		limiter:   limiter,
		buckets:   cfg.buckets(),
		replica:   replicas.chatReplica,
		origins:   origins,
		addresses: addresses,
		pages:     pages,
		site:      site,
	}, nil
}

// newSockets wires the WebSocket half, which shares the rules of the other.
func newSockets(cfg Config, tel *telemetry.Telemetry, a *api, h *hub, conns *registry) *sockets {
	s := &sockets{
		cfg: cfg.SocketConfig,
		limits: contract.Limits{
			FrameBytes: cfg.FrameBytes, TextLength: contract.MaxTextLength, PageSize: contract.MaxPage,
			SendsPerSecond: cfg.SendsPerSecond, SendBurst: cfg.SendBurst,
		},
		log:     tel.Log,
		tracer:  a.tracer,
		calls:   a.calls,
		hub:     h,
		conns:   conns,
		repairs: a.repairs,
		turns:   make(chan struct{}, admitAtOnce),
		verify:  func(raw string) (token.Claims, error) { return a.auth.authenticate(raw) },
		revoked: func(sessionID string) bool {
			ended, known := a.auth.revoked.Revoked(sessionID)
			return ended || !known
		},
		allowSend: func(ctx context.Context, userID string) error { return a.limiter.Allow(ctx, a.buckets.sends, userID) },
		allowCall: func(ctx context.Context, userID string) error { return a.limiter.Allow(ctx, a.buckets.calls, userID) },
		replica:   a.replica,
		bearer:    bearer,
		address:   a.addresses.counted,
	}
	s.ops, s.noOp = s.operations(newFrameMetrics(tel.Metrics))
	return s
}

// openWait is how long a port stays closed at most for tokens that can't be
// checked yet. A proxy that only tries to connect sends requests to whoever
// listens; without auth the gateway serves its pages all the same.
const openWait = 5 * time.Second

// serveHTTP serves until ctx ends, and then waits for requests in hand. By
// then the sockets have gone: Fiber's own shutdown knows nothing of them.
func serveHTTP(ctx context.Context, cfg Config, listener net.Listener, a *api, s *sockets) error {
	if listener == nil {
		if !a.auth.await(ctx, openWait) && ctx.Err() == nil {
			a.log.Warn("the port opens before tokens can be checked: auth does not answer")
		}
		var err error
		if listener, err = new(net.ListenConfig).Listen(ctx, "tcp", cfg.Addr); err != nil {
			return fmt.Errorf("open the gateway's port: %w", err)
		}
	}
	app := a.newApp(s.Upgrade, s.Serve(ctx))
	served := make(chan error, 1)
	go func() { served <- app.Listener(lingerListener{listener}) }() // ended by shutdown, joined below
	select {
	case err := <-served:
		return fmt.Errorf("serve HTTP: %w", err)
	case <-ctx.Done():
	}
	err := shutdown(app, cfg.StopTimeout)
	return errors.Join(err, <-served)
}

func shutdown(app *fiber.App, wait time.Duration) error {
	if err := app.ShutdownWithTimeout(wait); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("stop HTTP: %w", err)
	}
	return nil
}
