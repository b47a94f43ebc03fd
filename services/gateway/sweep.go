package gateway

import (
	"context"
	"time"

	"github.com/parley-im/parley/pkg/token"
)

// sweepInterval is how often every connection is looked at: one timer for all
// of them, instead of several a connection.
const sweepInterval = time.Second

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
	authNow := r.now()
	for c := range r.conns {
		r.tend(c, now, authNow)
	}
	r.byAddress.sweep(now)
	r.byUser.sweep(now)
}

// tend does what is due for one connection: pings, who answers none, expired
// tokens, those who never authenticate, who has become too old, and who has
// ended but does not leave.
func (r *registry) tend(c *conn, now, authNow time.Time) {
	if c.queue.ending() != nil {
		r.hasten(c, now)
		return
	}
	claims, identified := c.identity()
	switch {
	case c.silent(now, 2*r.cfg.Heartbeat):
		c.abandon(endIdle)
	case !identified && now.Sub(c.opened) > r.cfg.AuthTimeout:
		c.end(endUnauthenticated)
	case identified && authNow.After(claims.ExpiresAt.Add(token.Leeway)): // as long as calls take it
		c.end(endExpired)
	case !c.leaves.IsZero() && !r.draining && !now.Before(c.leaves): // a drain closes them itself
		c.end(endAged)
	case c.leaves.IsZero() && !c.retires.IsZero() && !now.Before(c.retires):
		r.dismiss(c, now)
	case monotonic(now)-time.Duration(c.lastPing.Load()) >= r.cfg.Heartbeat:
		c.lastPing.Store(int64(monotonic(now)))
		c.answer(pingFrame)
	}
}

// hasten cuts a connection that has ended and takes in too slowly what waits
// for it: each write is bounded, but there may be many.
func (r *registry) hasten(c *conn, now time.Time) {
	switch {
	case c.cutAt.IsZero():
		c.cutAt = now.Add(r.cfg.WriteTimeout + linger)
	case !now.Before(c.cutAt):
		c.cut()
	}
}
