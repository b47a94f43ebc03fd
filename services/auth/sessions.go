package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/parley-im/parley/pkg/clock"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/id"
	"github.com/parley-im/parley/pkg/revision"
	"github.com/parley-im/parley/pkg/token"
)

// Why a session ended.
const (
	endedByLogout   = "logout"
	endedByRevoke   = "revoked"
	endedByPassword = "password"
	endedByReset    = "reset"
	endedByReuse    = "reuse"
	endedByDisable  = "disabled"
)

const (
	// replayWindow is how long after a rotation the token before may be used
	// again, because the answer with its successor was lost.
	replayWindow = time.Minute
	// clockGrace is how far the clocks of replicas may be apart.
	clockGrace = 10 * time.Second
	// clockRetry is when a refresh that a wrong clock kept from an answer may be
	// tried again: another replica may have a right one.
	clockRetry = time.Second
)

var (
	errSession = fault.New(fault.Unauthenticated, "the session has ended")
	errRefresh = fault.New(fault.Unauthenticated, "the refresh token is not valid")
	// errDisabled is for whoever has shown that the account is theirs.
	errDisabled = fault.New(fault.PermissionDenied, "the account is disabled")
	errLate     = fault.New(fault.Unavailable, "the session was used after this was asked for; ask again").After(time.Second)
)

// sessions opens, refreshes and ends sessions.
type sessions struct {
	store     Store
	keys      *keyring
	accessTTL time.Duration
	ttl       time.Duration // unused for so long, a session ends
	most      int           // of one user
	out       *pushes
	now       func() time.Time
	stamp     func() (now time.Time, sure bool) // of a rotation
	// trusted is the time by which a session ends for good.
	trusted func(context.Context) (time.Time, error)
	log     *slog.Logger
}

// Alive returns the caller's session and user; Unauthenticated when the
// session has ended since the access token was made.
func (s *sessions) Alive(ctx context.Context, caller contract.Caller) (User, Session, error) {
	if !contract.ValidID(caller.SessionID) || !contract.ValidID(caller.UserID) {
		return User{}, Session{}, errSession
	}
	session, err := s.store.Session(ctx, caller.SessionID)
	if err != nil {
		return User{}, Session{}, err
	}
	if session == nil || session.UserID != caller.UserID || !s.lives(*session) {
		return User{}, Session{}, errSession
	}
	user, err := s.store.User(ctx, session.UserID)
	if err != nil {
		return User{}, Session{}, err
	}
	if user == nil || user.killed(*session) {
		return User{}, Session{}, errSession
	}
	return *user, *session, nil
}

// lives looks at the session's own record only; see User.killed.
func (s *sessions) lives(v Session) bool {
	return v.EndedAt.IsZero() && s.now().Sub(v.LastUsedAt.Time) < s.ttl
}

// about makes an event about a session that is about to be saved.
type about func(sessionID string) (contract.Event, error)

// eventsAbout is the event, and what is to be told beside it.
func eventsAbout(sessionID string, event contract.Event, also []about) ([]contract.Event, error) {
	events := []contract.Event{event}
	for _, about := range also {
		event, err := about(sessionID)
		if err != nil {
			return nil, err
		}
		events = append(events, event)
	}
	return events, nil
}

// Open opens a session for the user as loaded when the password was checked.
func (s *sessions) Open(ctx context.Context, user User, deviceName string, also ...about) (contract.Grant, error) {
	now := contract.NewTime(s.now())
	t := refreshToken{SessionID: id.New(), Family: newPart(), Rotating: newPart()}
	session := Session{
		ID: t.SessionID, UserID: user.ID, DeviceName: deviceName, Epoch: user.Epoch,
		Family: hashPart(t.Family), Current: hashPart(t.Rotating),
		RotatedAt: now, CreatedAt: now, LastUsedAt: now, Rev: 1,
	}
	grant, err := s.grant(ctx, user, t)
	if err != nil {
		return contract.Grant{}, err
	}
	event, err := contract.SessionCreated.New(id.New(), user.ID, now.Time, contract.SessionEvent{UserID: user.ID, SessionID: session.ID})
	if err != nil {
		return contract.Grant{}, err
	}
	events, err := eventsAbout(session.ID, event, also)
	if err != nil {
		return contract.Grant{}, err
	}
	if err := s.store.SaveSession(ctx, session, events); err != nil {
		return contract.Grant{}, err
	}
	// Whoever begins an epoch saves the user first and then looks for
	// sessions; here it is the other way round, so that one sees the other.
	current, err := s.store.User(ctx, user.ID)
	if err != nil {
		return contract.Grant{}, err
	}
	if current == nil {
		return contract.Grant{}, errLogin
	}
	if current.killed(session) {
		_, err := s.End(ctx, session.ID, current.endReason())
		if current.gone() {
			return contract.Grant{}, cmp.Or(err, error(errDisabled))
		}
		return contract.Grant{}, cmp.Or(err, error(errLogin))
	}
	return grant, s.makeRoom(ctx, user.ID)
}

// makeRoom ends the sessions beyond the most that a user may have, those
// first that were not used for the longest time.
func (s *sessions) makeRoom(ctx context.Context, userID string) error {
	open, err := s.store.OpenSessions(ctx, userID)
	if err != nil || len(open) <= s.most {
		return err
	}
	sortByUse(open)
	for _, session := range open[s.most:] {
		if _, err := s.End(ctx, session.ID, endedByRevoke); err != nil {
			return err
		}
	}
	return nil
}

// Refresh spends a refresh token. Of many that spend one at once, the last
// gets the token that lives.
//
// A request that was asked for before the session was last used is a late one:
// a replica that stood still carries it out when its caller has long tried
// again, and has the token that this one would kill. The newest token was not
// overtaken, whatever the clocks say; a time that a clock that was ahead has
// stored counts for nothing.
func (s *sessions) Refresh(ctx context.Context, raw string, asked contract.Time) (contract.Grant, error) {
	t, ok := parseRefresh(raw)
	if !ok {
		return contract.Grant{}, errRefresh
	}
	var grant contract.Grant
	err := revision.Retry(ctx, func() error {
		session, err := s.store.Session(ctx, t.SessionID)
		if err != nil {
			return err
		}
		if session == nil || !session.Family.is(t.Family) || !session.EndedAt.IsZero() {
			return errRefresh
		}
		if !s.lives(*session) {
			return cmp.Or(s.certain(ctx), error(errRefresh))
		}
		if !asked.IsZero() && asked.Before(session.LastUsedAt.Time) && !session.Current.is(t.Rotating) &&
			clock.Believable(session.LastUsedAt.Time, s.now()) {
			return errLate
		}
		user, err := s.store.User(ctx, session.UserID)
		if err != nil {
			return err
		}
		if user == nil {
			return errRefresh
		}
		if user.killed(*session) {
			_, err := s.End(ctx, session.ID, user.endReason())
			return cmp.Or(err, error(errRefresh))
		}
		next := refreshToken{SessionID: t.SessionID, Family: t.Family, Rotating: newPart()}
		now, sure := s.stamp()
		if !session.rotate(t.Rotating, next.Rotating, now, sure) {
			return s.reused(ctx, *session, t)
		}
		// Signed before it is saved: no access token is younger than the
		// record that a list of ended sessions goes by.
		if grant, err = s.grant(ctx, *user, next); err != nil {
			return err
		}
		return s.store.SaveSession(ctx, *session, nil)
	})
	if err != nil {
		return contract.Grant{}, err
	}
	return grant, nil
}

// rotate replaces the part that was spent by next. It returns false if that part
// may not be spent. A time that is not sure begins no replay window, and does not
// make the session look older: by a clock that was wrong nobody is logged out.
func (v *Session) rotate(spent, next string, now time.Time, sure bool) bool {
	rotated := contract.NewTime(now)
	if !sure {
		rotated = contract.Time{} // the window begins when the part is spent again
	}
	switch {
	case v.Current.is(spent):
		v.Previous = v.Current
		v.RotatedAt = rotated
	case v.Previous.is(spent) && (v.RotatedAt.IsZero() || now.Sub(v.RotatedAt.Time) <= replayWindow):
		// Its successor is unused; otherwise it would not be the previous part.
		if v.RotatedAt.IsZero() || !clock.Believable(v.RotatedAt.Time, now) {
			v.RotatedAt = rotated
		}
	default:
		return false
	}
	v.Current = hashPart(next)
	if sure || now.After(v.LastUsedAt.Time) {
		v.LastUsedAt = contract.NewTime(now)
	}
	v.Rev++
	return true
}

// reused ends the session of a token that was not to be spent. Time alone tells
// a request that is sent again too late from a theft while the token's successor
// is unused.
func (s *sessions) reused(ctx context.Context, session Session, t refreshToken) error {
	if session.Previous.is(t.Rotating) {
		if err := s.certain(ctx); err != nil {
			return err
		}
	}
	_, err := s.End(ctx, session.ID, endedByReuse)
	return cmp.Or(err, error(errRefresh))
}

// certain is Unavailable while nobody knows the time: by a wrong clock nobody is
// logged out.
func (s *sessions) certain(ctx context.Context) error {
	_, err := s.trusted(ctx)
	if errors.Is(err, clock.ErrSkewed) {
		return fault.New(fault.Unavailable, "the session can't be renewed while the server's clock cannot be trusted").After(clockRetry).Because(err)
	}
	return err
}

func (s *sessions) grant(ctx context.Context, user User, t refreshToken) (contract.Grant, error) {
	access, err := s.keys.Sign(ctx, user.ID, t.SessionID)
	if err != nil {
		return contract.Grant{}, err
	}
	return contract.Grant{User: user.wire(), AccessToken: access, RefreshToken: t.String(), ExpiresIn: int(s.accessTTL.Seconds())}, nil
}

// End ends a session and tells at once; false when it has ended before.
func (s *sessions) End(ctx context.Context, sessionID, reason string, also ...about) (ended bool, err error) {
	var session *Session
	err = revision.Retry(ctx, func() error {
		var err error
		if session, err = s.store.Session(ctx, sessionID); err != nil {
			return err
		}
		if ended = session != nil && session.EndedAt.IsZero(); !ended {
			return nil
		}
		now := contract.NewTime(s.now())
		session.EndedAt, session.Reason = now, reason
		session.Rev++
		event, err := contract.SessionEnded.New(id.New(), session.UserID, now.Time,
			contract.SessionEvent{UserID: session.UserID, SessionID: session.ID, Reason: reason})
		if err != nil {
			return err
		}
		events, err := eventsAbout(session.ID, event, also)
		if err != nil {
			return err
		}
		return s.store.SaveSession(ctx, *session, events)
	})
	if err != nil {
		return false, fmt.Errorf("end session: %w", err)
	}
	if ended {
		s.out.revoked(ctx, *session, s.until(session.EndedAt))
	}
	return ended, nil
}

// until is when the last access token of a session that ended at t runs out.
func (s *sessions) until(t contract.Time) contract.Time {
	return contract.NewTime(t.Add(s.accessTTL + token.Leeway + clockGrace))
}

// errNoSuchUser is for reads by name or id.
var errNoSuchUser = fault.New(fault.NotFound, "there is no such user")
