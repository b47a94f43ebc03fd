package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-im/parley/pkg/clock"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/rpc"
)

const (
	// revokedWait bounds the call for one page of ended sessions.
	revokedWait = 5 * time.Second
	// revokedRetry is the pause after a reading that went wrong.
	revokedRetry = time.Second
	// clockLook is how often the machine's clock is looked at.
	clockLook = time.Second
)

// revocationFeed keeps revocations in step with auth: by the push that every
// gateway hears, and by the list for those that were missed.
type revocationFeed struct {
	nc       *nats.Conn
	calls    *rpc.Client
	revoked  *revocations
	interval time.Duration
	log      *slog.Logger
	wake     chan struct{} // capacity 1: pushes may have been missed
	cursor   string        // of auth, where Run reads from next; empty: all that matters
	// By a time that was wrong, what matters may have been forgotten.
	jumps *clock.Jumps
}

func newRevocationFeed(nc *nats.Conn, calls *rpc.Client, revoked *revocations, own func() time.Time, interval time.Duration, log *slog.Logger) *revocationFeed {
	return &revocationFeed{
		nc: nc, calls: calls, revoked: revoked, interval: interval, log: log, wake: make(chan struct{}, 1),
		jumps: clock.NewJumps(own),
	}
}

// Missed has the list read soon. It never blocks.
func (f *revocationFeed) Missed() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// Run listens and reads until ctx ends. It subscribes before it reads: what
// ends after the list was made is pushed.
func (f *revocationFeed) Run(ctx context.Context) error {
	sub, err := f.nc.Subscribe(contract.EveryUser(contract.SessionRevoked.Op), f.pushed)
	if err != nil {
		return fmt.Errorf("subscribe to ended sessions: %w", err)
	}
	defer sub.Unsubscribe() //nolint:errcheck // only a closed connection refuses, and forgets it anyway
	for {
		wait := f.interval
		if err := f.read(ctx); err != nil && ctx.Err() == nil {
			f.log.WarnContext(ctx, "read ended sessions", slog.Any("error", err))
			wait = revokedRetry
		}
		if !f.rest(ctx, wait) {
			return nil
		}
	}
}

// rest waits until the list is to be read again, and is false when ctx ends.
func (f *revocationFeed) rest(ctx context.Context, wait time.Duration) bool {
	timer, look := time.NewTimer(wait), time.NewTicker(clockLook)
	defer timer.Stop()
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-f.wake:
			f.cursor = "" // an end that was stored long after it was dated is told by its push only
			return true
		case <-look.C:
			if f.jumps.Noticed() {
				f.cursor = ""
				return true
			}
		case <-timer.C:
			return true
		}
	}
}

// read reads what has ended since it read last. After an error it goes on where
// it came to.
func (f *revocationFeed) read(ctx context.Context) error {
	for {
		page, err := f.page(ctx)
		if err != nil {
			if fault.Is(err, fault.InvalidArgument) {
				f.cursor = "" // of an auth that wrote others
			}
			return err
		}
		f.revoked.Merge(page.Sessions)
		f.cursor = page.Cursor
		if !page.More {
			f.revoked.Listed()
			return nil
		}
	}
}

func (f *revocationFeed) page(ctx context.Context) (contract.RevokedReply, error) {
	ctx, cancel := context.WithTimeout(ctx, revokedWait)
	defer cancel()
	return rpc.Call(ctx, f.calls, contract.ListRevoked, contract.RevokedRequest{Cursor: f.cursor})
}

// pushed runs on the subscription's goroutine.
func (f *revocationFeed) pushed(m *nats.Msg) {
	_, op, ok := contract.ParseUserSubject(m.Subject)
	if !ok || !isFrame(op, m.Data) {
		return
	}
	data, err := contract.SessionRevoked.Decode(m.Data)
	if err != nil || !contract.ValidID(data.SessionID) {
		f.log.Warn("an ended session that can't be read", slog.Any("error", err))
		f.Missed()
		return
	}
	f.revoked.Add(data.SessionID, data.Until.Time)
}
