package gateway

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/parley-im/parley/pkg/contract"
)

// drainMargin is what a drain takes at most beside DrainTime: the last to be
// sent away have a linger to leave, and those who are cut as long to end.
const drainMargin = 2 * linger

// retirement is when a connection has become too old: the age give or take a
// tenth, so that a crowd that came together does not leave together. gRPC's
// MaxConnectionAge does the same.
func retirement(opened time.Time, age time.Duration) time.Time {
	if age <= 0 {
		return time.Time{}
	}
	return opened.Add(age - age/10 + rand.N(max(age/5, 1)))
}

// dismiss tells a connection that it will be closed, and when; a moment of its
// own within DrainTime, so that a crowd does not come to another gateway at
// once. One that is not ready yet hears of it behind its ready frame. The
// registry's lock is held.
func (r *registry) dismiss(c *conn, now time.Time) {
	wait := rand.N(max(r.cfg.DrainTime, 1))
	c.leaves = now.Add(wait)
	if o, ok := c.encode(contract.PushFrame[contract.DrainingData]{
		Op: contract.OpServerDraining, Data: contract.DrainingData{ReconnectAfterMS: wait.Milliseconds()},
	}); ok {
		c.push(o)
	}
}

// Drain takes in no further connection, tells all that are here, and closes
// each when it was told. Who has not left a linger after the last, because
// they read nothing or answer nothing, is cut. Drain returns when all have
// gone, or ctx ends.
func (r *registry) Drain(ctx context.Context) {
	for _, d := range r.dismissAll(time.Now()) {
		if !r.waitUntil(ctx, d.at) {
			break
		}
		d.conn.end(endDrained)
	}
	if r.waitUntil(ctx, time.Now().Add(linger)) {
		r.log.Warn("cut connections that would not leave", slog.Int("connections", r.cutAll()))
	}
	select {
	case <-r.empty:
	case <-ctx.Done():
		r.cutAll() // all that can still be done
	}
}

// departure is when a connection is closed.
type departure struct {
	conn *conn
	at   time.Time
}

// dismissAll tells everyone who was not told yet, and lists who goes when.
func (r *registry) dismissAll(now time.Time) []departure {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.draining = true
	if len(r.conns) == 0 {
		close(r.empty)
	}
	list := make([]departure, 0, len(r.conns))
	for c := range r.conns {
		if c.leaves.IsZero() {
			r.dismiss(c, now)
		}
		list = append(list, departure{c, c.leaves})
	}
	slices.SortFunc(list, func(a, b departure) int { return a.at.Compare(b.at) })
	return list
}

// waitUntil waits; false means that before that time all had gone, or ctx
// ended.
func (r *registry) waitUntil(ctx context.Context, at time.Time) bool {
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.empty:
		return false
	case <-ctx.Done():
		return false
	}
}

// cutAll cuts who is left, and tells how many that are.
func (r *registry) cutAll() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.conns {
		c.cut()
	}
	return len(r.conns)
}
