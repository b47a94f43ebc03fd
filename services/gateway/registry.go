package gateway

import (
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/token"
)

// registry holds every connection of this gateway and keeps the caps. What is
// due by the clock stands in sweep.go, how connections are sent away in
// departure.go.
type registry struct {
	cfg  SocketConfig
	now  func() time.Time // by which tokens expire
	ends *endMetrics
	log  *slog.Logger

	mu        sync.Mutex
	conns     map[*conn]struct{}
	addresses map[string]int
	users     map[string]int
	sessions  map[string]map[*conn]struct{}
	byAddress *turnstile
	byUser    *turnstile
	draining  bool
	empty     chan struct{} // closed when draining and the last has gone
}

// newRegistry has metrics count the connections and how they end.
func newRegistry(cfg SocketConfig, now func() time.Time, metrics prometheus.Registerer, log *slog.Logger) *registry {
	r := &registry{
		cfg:       cfg,
		now:       now,
		ends:      newEndMetrics(metrics),
		log:       log,
		conns:     map[*conn]struct{}{},
		addresses: map[string]int{},
		users:     map[string]int{},
		sessions:  map[string]map[*conn]struct{}{},
		byAddress: newTurnstile(cfg.AddressConnectsPerMinute, cfg.AddressConnectBurst),
		byUser:    newTurnstile(cfg.ConnectsPerMinute, cfg.ConnectBurst),
		empty:     make(chan struct{}),
	}
	gauge := func(name, help string, value func() int) prometheus.GaugeFunc {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "parley", Subsystem: "gateway", Name: name, Help: help},
			func() float64 { return float64(value()) })
	}
	metrics.MustRegister(
		gauge("connections", "Open WebSocket connections.", r.count),
		gauge("max_connections", "Connections that there may be: GATEWAY_MAX_CONNS.", func() int { return cfg.MaxConns }),
		gauge("queue_bytes", "Bytes that wait to be written to all connections together.", r.queued))
	return r
}

// knock refuses a further connection when there is no room for it from the
// address or, when it is known, of the user, or when it comes too soon after
// others. Each one that is not refused counts.
func (r *registry) knock(address, userID string, now time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.roomLocked(address); err != nil {
		return err
	}
	if err := r.userRoomLocked(userID); err != nil {
		return err
	}
	if err := tooSoon(r.byAddress.wait(address, now), "from this address"); err != nil {
		return err
	}
	if err := tooSoon(r.byUser.wait(userID, now), "by this user"); err != nil {
		return err
	}
	r.byAddress.pass(address, now)
	r.byUser.pass(userID, now)
	return nil
}

// arrive is knock for the user of a connection who becomes known only when it
// is there.
func (r *registry) arrive(userID string, now time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := tooSoon(r.byUser.wait(userID, now), "by this user"); err != nil {
		return err
	}
	r.byUser.pass(userID, now)
	return nil
}

func tooSoon(wait time.Duration, who string) error {
	if wait <= 0 {
		return nil
	}
	return fault.Newf(fault.ResourceExhausted, "connections are opened too often %s; wait a moment", who).After(wait)
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

func (r *registry) userRoomLocked(userID string) error {
	if r.users[userID] >= r.cfg.MaxUserConns {
		return fault.New(fault.ResourceExhausted, "too many connections of this user").After(retryHint)
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
	if err := r.userRoomLocked(claims.UserID); err != nil {
		return err
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

// queued is how many bytes wait to be written to all connections. It is asked
// for when metrics are read, so that the queues need not count together.
func (r *registry) queued() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	sum := 0
	for c := range r.conns {
		sum += c.queue.waits()
	}
	return sum
}

// count is how many connections there are.
func (r *registry) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.conns)
}
