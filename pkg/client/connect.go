package client

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"

	"github.com/parley-im/parley/pkg/contract"
)

const (
	// settled is how long a connection lives that counts as a success.
	settled = 10 * time.Second
	// briefly is how long a connection lives that was no use: a gateway that
	// closes at once is not asked again at once.
	briefly = time.Second
	// slowDown is the least pause after the gateway said "too fast".
	slowDown = time.Second
	// drainGrace is how long a gateway that said it would close may take to
	// answer what is in hand, before the client leaves by itself.
	drainGrace = time.Second
	// politely is how long the last close frame may take.
	politely = time.Second
	// refreshWait bounds one question to the token source.
	refreshWait = 15 * time.Second
)

// run connects, and connects again, until Close or the end of the session.
func (c *Client) run() {
	defer close(c.stopped)
	ctx, cancel := context.WithCancel(c.ctx)
	var saving sync.WaitGroup
	saving.Go(func() { c.saveAll(ctx) })
	defer saving.Wait()
	defer cancel()
	tries := &route{gateways: shuffled(c.o.Gateways), retry: backoff{most: c.o.MaxBackoff}}
	for {
		current, err := c.connect(ctx, tries)
		if err != nil {
			c.failed(err)
			return
		}
		since := time.Now()
		c.stats.up(since)
		c.use(current)
		why := c.hold(ctx, current)
		c.use(nil)
		if ctx.Err() != nil {
			c.failed(ErrClosed)
			return
		}
		c.stats.down(time.Now())
		c.log.Info("connection lost", slog.Any("error", why))
		c.stream.lost(why)
		if end := c.conclude(why, time.Since(since), tries); end != nil {
			c.failed(end)
			return
		}
	}
}

// conclude says what a connection's end, or the failure to have one, means for
// the next try. An error: that there is none.
func (c *Client) conclude(why error, lived time.Duration, tries *route) error {
	if lived > settled {
		tries.retry.reset()
	}
	atLeast := time.Duration(0)
	code := contract.CloseCode(websocket.CloseStatus(why))
	switch {
	case code == contract.CloseUnauthenticated, code == contract.CloseSessionRevoked:
		c.tokens.stale = true // whether there is another one, its source knows
	case !code.Reconnect() && code < 5000:
		return errOver.Because(why)
	case code == contract.CloseTooFast:
		atLeast = slowDown
	case lived > briefly && (code == contract.CloseGoingAway || code == contract.CloseServiceRestart || errors.Is(why, errDrained)):
		tries.retry.reset() // the gateway has spread its clients by itself
		tries.pause = 0
		return nil
	}
	tries.pause = tries.retry.next(atLeast)
	return nil
}

// route is where to connect next, and when.
type route struct {
	gateways []string // in the order in which they are tried
	notYet   map[string]time.Time
	at       int
	retry    backoff
	pause    time.Duration
}

func shuffled(list []string) []string {
	order := make([]string, len(list))
	for i, from := range rand.Perm(len(list)) {
		order[i] = list[from]
	}
	return order
}

// next is the gateway to try, and how long to wait before: what was to be
// waited, and until a gateway may be asked again.
func (r *route) next(now time.Time) (string, time.Duration) {
	best, wait := "", time.Duration(-1)
	for range r.gateways {
		gateway := r.gateways[r.at%len(r.gateways)]
		r.at++
		left := max(0, r.notYet[gateway].Sub(now))
		if wait < 0 || left < wait {
			best, wait = gateway, left
		}
		if left == 0 {
			break
		}
	}
	wait = max(wait, r.pause)
	r.pause = 0
	return best, wait
}

// refused notes that a gateway wants to be left alone.
func (r *route) refused(gateway string, until time.Time) {
	if r.notYet == nil {
		r.notYet = map[string]time.Time{}
	}
	r.notYet[gateway] = until
}

// connect returns a live connection. The error is final: Close, or the end of
// the session.
func (c *Client) connect(ctx context.Context, tries *route) (*conn, error) {
	for {
		gateway, wait := tries.next(time.Now())
		if sleep(ctx, wait) != nil {
			return nil, ErrClosed
		}
		current, err := c.try(ctx, gateway)
		switch {
		case err == nil:
			return current, nil
		case ctx.Err() != nil:
			return nil, ErrClosed
		case over(err):
			return nil, err
		}
		c.failed(err)
		c.log.Info("not connected", slog.String("gateway", gateway), slog.Any("error", err))
		var refusal *upgradeError
		if errors.As(err, &refusal) {
			c.tokens.stale = c.tokens.stale || refusal.status == http.StatusUnauthorized
			tries.refused(gateway, time.Now().Add(refusal.retryAfter))
		}
		if end := c.conclude(err, 0, tries); end != nil {
			return nil, end
		}
	}
}

func (c *Client) try(ctx context.Context, gateway string) (*conn, error) {
	asking, cancel := context.WithTimeout(ctx, refreshWait)
	token, err := c.tokens.get(asking)
	cancel()
	if err != nil {
		return nil, err
	}
	return dial(ctx, c.o, gateway, token, c.stream)
}

// hold keeps a connection alive until it ends, and returns why.
func (c *Client) hold(ctx context.Context, current *conn) error {
	limits := current.ready.Limits
	if limits.SendsPerSecond > 0 && limits.SendBurst > 0 {
		c.pace.SetLimit(rate.Limit(limits.SendsPerSecond))
		c.pace.SetBurst(limits.SendBurst)
	}
	var fetching sync.WaitGroup
	defer fetching.Wait()
	fetching.Go(func() { c.stream.repair(current.ctx, current) }) // ended by the connection
	defer current.close(ErrClosed)                                // if it lives

	heartbeat := time.Duration(current.ready.HeartbeatMS) * time.Millisecond
	if heartbeat <= 0 {
		heartbeat = 25 * time.Second
	}
	watch := time.NewTicker(min(heartbeat/2, 5*time.Second))
	defer watch.Stop()
	renew := time.NewTimer(untilRenewal(current.token, time.Now()))
	defer renew.Stop()
	for {
		select {
		case <-current.ctx.Done():
			return context.Cause(current.ctx)
		case <-ctx.Done():
			current.leave()
			return ErrClosed
		case after := <-current.drained:
			// The gateway closes then, too; whoever is first.
			time.AfterFunc(after+drainGrace, func() { current.close(errDrained) })
		case <-watch.C:
			if current.silence() > 2*heartbeat+time.Second {
				current.close(errSilent)
			}
		case <-renew.C:
			renew.Reset(c.renew(ctx, current))
		}
	}
}

// errDrained is a connection that the gateway said it would close.
var errDrained = errors.New("the gateway is leaving")

// renew puts a fresh token on the live connection, and says when to do so
// again.
func (c *Client) renew(ctx context.Context, current *conn) time.Duration {
	ctx, cancel := context.WithTimeout(ctx, refreshWait)
	defer cancel()
	token, err := c.tokens.current, error(nil)
	if token.Access == current.token.Access { // else the last one has not got through yet
		token, err = c.tokens.renew(ctx)
	}
	if err == nil {
		_, err = current.ask(ctx, contract.OpAuth, contract.AuthData{Token: token.Access})
	}
	if err != nil {
		// The gateway closes the connection when the token has run out; the
		// next one begins with a new token, or learns that there is none.
		c.log.Info("token is not renewed", slog.Any("error", err))
		return time.Second + rand.N(time.Second)
	}
	current.token = token
	return untilRenewal(token, time.Now())
}

// untilRenewal is when a fifth of the token's life is left, or some of that
// earlier, so that not all clients renew at the same time.
func untilRenewal(t Token, now time.Time) time.Duration {
	expiry := t.expiry()
	if expiry.IsZero() {
		return time.Hour
	}
	left := max(expiry.Sub(now), 0)
	return max(left*7/10+rand.N(left/10+1), 100*time.Millisecond)
}
