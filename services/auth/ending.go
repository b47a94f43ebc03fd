package auth

import (
	"context"
	"time"

	"github.com/parley-im/parley/pkg/revision"
)

const (
	// maxEnding is how many users' sessions one look at the store goes through.
	maxEnding = 500
	// finishWait bounds how long marking a user's ended sessions may take.
	finishWait = 10 * time.Second
)

// finishSoon is finish, even if whoever asked does not wait: the gateways shall
// know now.
func (s *sessions) finishSoon(ctx context.Context, user User) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishWait)
	defer cancel()
	if err := s.finish(ctx, user); err != nil {
		s.log.WarnContext(ctx, "mark ended sessions; the sweeper goes on", "err", err)
	}
}

// finish marks the sessions that a new epoch has killed, one by one, and tells
// of each. They are dead already; should it stop half-way, the sweeper goes
// on.
func (s *sessions) finish(ctx context.Context, user User) error {
	open, err := s.store.OpenSessions(ctx, user.ID)
	if err != nil {
		return err
	}
	reason := user.endReason()
	for _, session := range open {
		if user.killed(session) {
			if _, err := s.End(ctx, session.ID, reason); err != nil {
				return err
			}
		}
	}
	return revision.Retry(ctx, func() error {
		current, err := s.store.User(ctx, user.ID)
		if err != nil || current == nil || current.Epoch != user.Epoch || !current.Ending {
			return err
		}
		current.Ending = false
		current.Rev++
		return s.store.SaveUser(ctx, *current, nil)
	})
}

// endReason is why the last epoch ended sessions. Of one that began before
// reasons were kept: a change of password that kept no session was a reset.
func (u User) endReason() string {
	switch {
	case u.EpochReason != "":
		return u.EpochReason
	case u.Kept == "":
		return endedByReset
	default:
		return endedByPassword
	}
}
