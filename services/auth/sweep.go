package auth

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/parley-im/parley/pkg/clock"
	"github.com/parley-im/parley/pkg/contract"
)

const (
	// sweepBatch is how many sessions one write removes, and sweepBatches how
	// many writes one round makes: the rest is for the next round.
	sweepBatch   = 500
	sweepBatches = 20
	// sweepWait bounds one round.
	sweepWait = 30 * time.Second
	// keepEnded is how long an ended session is kept beyond its last access
	// token, and keepUnused an unused one beyond its end.
	keepEnded  = time.Hour
	keepUnused = 24 * time.Hour
)

// sweeper finishes what a replica that died left half-way, and removes old
// sessions. Several may run at once.
type sweeper struct {
	store    Store
	sessions *sessions
	trusted  func(context.Context) (time.Time, error) // the time that removal goes by
	every    time.Duration
	log      *slog.Logger
	kick     func() // the relay
}

// Run sweeps until ctx ends.
func (s *sweeper) Run(ctx context.Context) error {
	for {
		s.round(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(s.every/2 + rand.N(s.every)): //nolint:gosec // jitter, so that replicas take turns
		}
	}
}

func (s *sweeper) round(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, sweepWait)
	defer cancel()
	if err := s.finish(ctx); err != nil && ctx.Err() == nil {
		s.log.WarnContext(ctx, "mark ended sessions", "err", err)
	}
	if err := s.remove(ctx); err != nil && ctx.Err() == nil {
		s.log.WarnContext(ctx, "remove old sessions", "err", err)
	}
}

func (s *sweeper) finish(ctx context.Context) error {
	users, err := s.store.EndingUsers(ctx, "", maxEnding)
	if err != nil {
		return err
	}
	for _, user := range users {
		if err := s.sessions.finish(ctx, user); err != nil {
			return err
		}
		s.kick()
	}
	return nil
}

func (s *sweeper) remove(ctx context.Context) error {
	now, err := s.trusted(ctx)
	if errors.Is(err, clock.ErrSkewed) {
		return nil // the clock's own loop logs it
	}
	if err != nil {
		return err
	}
	ended := contract.NewTime(now.Add(-s.sessions.accessTTL - keepEnded))
	used := contract.NewTime(now.Add(-s.sessions.ttl - keepUnused))
	for range sweepBatches {
		removed, err := s.store.RemoveSessions(ctx, ended, used, sweepBatch)
		if err != nil || removed < sweepBatch {
			return err
		}
	}
	return nil
}
