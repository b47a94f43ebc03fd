package gateway

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/token"
)

// sweepInterval is how often every connection is looked at: one timer for all
// of them, instead of several a connection.
const sweepInterval = time.Second

// registry holds every connection of this gateway, keeps the caps, and does
// what is due by the clock: pings, expired tokens, those who never
// authenticate.
type registry struct {
	cfg  SocketConfig
	ends *endMetrics

	mu        sync.Mutex
	conns     map[*conn]struct{}
	addresses map[string]int
	users     map[string]int
	sessions  map[string]map[*conn]struct{}
	draining  bool
	empty     chan struct{} // closed when draining and the last has gone
}

// newRegistry has metrics count the connections and how they end.
func newRegistry(cfg SocketConfig, metrics prometheus.Registerer) *registry {
	r := &registry{
		cfg:       cfg,
		ends:      newEndMetrics(metrics),
		conns:     map[*conn]struct{}{},
		addresses: map[string]int{},
		users:     map[string]int{},
		sessions:  map[string]map[*conn]struct{}{},
		empty:     make(chan struct{}),
	}
	metrics.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "parley_gateway_connections", Help: "Open WebSocket connections.",
	}, func() float64 { return float64(r.count()) }))
	return r
}

// room refuses a further connection from the address when there is no room
// for it.
func (r *registry) room(address string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.roomLocked(address)
}

func (r *registry) roomLocked(address string) error {
	switch {
	case r.draining:
		return fault.New(fault.Unavailable, "this gateway is leaving").After(retryHint)
	case len(r.conns) >= r.cfg.MaxConns:
		return fault.New(fault.Unavailable, "this gateway is full").After(retryHint)
	case address != "" && r.addresses[address] >= r.cfg.MaxAddressConns:
		return fault.New(fault.ResourceExhausted, "too many connections from this address").After(retryHint)
	}
	return nil
}

// add takes the connection in, unless there is no room by now.
func (r *registry) add(c *conn) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.roomLocked(c.address); err != nil {
		return err
	}
	r.conns[c] = struct{}{}
	if c.address != "" {
		r.addresses[c.address]++
	}
	return nil
}

// identify notes whose the connection is, unless they have too many.
func (r *registry) identify(c *conn, claims token.Claims) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.users[claims.UserID] >= r.cfg.MaxUserConns {
		return fault.New(fault.ResourceExhausted, "too many connections of this user").After(retryHint)
	}
	r.users[claims.UserID]++
	of := r.sessions[claims.SessionID]
	if of == nil {
		of = map[*conn]struct{}{}
		r.sessions[claims.SessionID] = of
	}
	of[c] = struct{}{}
	c.renew(claims)
	return nil
}

// remove forgets a connection that has ended.
func (r *registry) remove(c *conn) {
	claims, identified := c.identity()
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.conns, c)
	if c.address != "" {
		decrement(r.addresses, c.address)
	}
	if identified {
		decrement(r.users, claims.UserID)
		delete(r.sessions[claims.SessionID], c)
		if len(r.sessions[claims.SessionID]) == 0 {
			delete(r.sessions, claims.SessionID)
		}
	}
	r.ends.of(c.queue.ending()).Inc()
	if r.draining && len(r.conns) == 0 {
		close(r.empty)
	}
}

func decrement(counts map[string]int, key string) {
	if counts[key]--; counts[key] <= 0 {
		delete(counts, key)
	}
}

// Revoked closes the sockets of a session that has ended.
func (r *registry) Revoked(sessionID string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.sessions[sessionID] {
		c.end(endRevoked)
	}
}

// count is how many connections there are.
func (r *registry) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.conns)
}

// Run sweeps until ctx ends.
func (r *registry) Run(ctx context.Context) error {
	tick := time.NewTicker(sweepInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			r.sweep(now)
		}
	}
}

func (r *registry) sweep(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.conns {
		claims, identified := c.identity()
		switch {
		case !identified && now.Sub(c.opened) > r.cfg.AuthTimeout:
			c.end(endUnauthenticated)
		case identified && now.After(claims.ExpiresAt):
			c.end(endExpired)
		case now.UnixMilli()-c.lastPing.Load() >= r.cfg.Heartbeat.Milliseconds():
			c.lastPing.Store(now.UnixMilli())
			c.queue.reply(outgoing{ping: true})
		}
	}
}

// Drain sends everyone away, spread over the configured time, and returns
// when they have gone or ctx ends; then it cuts those who are left.
func (r *registry) Drain(ctx context.Context) {
	r.mu.Lock()
	r.draining = true
	if len(r.conns) == 0 {
		r.mu.Unlock()
		return
	}
	var timers []*time.Timer
	for c := range r.conns {
		wait := rand.N(max(r.cfg.DrainTime, 1))
		if o, ok := c.encode(contract.PushFrame[contract.DrainingData]{
			Op: contract.OpServerDraining, Data: contract.DrainingData{ReconnectAfterMS: wait.Milliseconds()},
		}); ok {
			c.push(o)
		}
		timers = append(timers, time.AfterFunc(wait, func() { c.end(endDrained) }))
	}
	r.mu.Unlock()
	select {
	case <-r.empty:
	case <-ctx.Done():
		for _, t := range timers {
			t.Stop()
		}
		r.cutAll()
	}
}

func (r *registry) cutAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.conns {
		c.cut()
	}
}
