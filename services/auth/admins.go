package auth

import (
	"context"
	"strings"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/revision"
)

// admins do what those who run Parley ask for. What they change they change in
// one write with the event that says who asked; what they only look at is
// recorded before it is answered.
type admins struct {
	*accounts
	keys     *keyring
	announce func(ctx context.Context, userID string, gone bool) // best effort
}

// act is one request of an admin about a user.
type act struct {
	contract.Act
	action string
	userID string
}

func (a *admins) event(by act, sessionID string) (contract.Event, error) {
	return audited(by.Act, by.action, by.userID, contract.AuditEvent{UserID: by.userID, SessionID: sessionID}, a.now())
}

// record puts down that something was looked at.
func (a *admins) record(ctx context.Context, by act) error {
	event, err := a.event(by, "")
	if err != nil {
		return err
	}
	return a.store.Post(ctx, []contract.Event{event})
}

// user is one who is there, erased ones too.
func (a *admins) user(ctx context.Context, userID string) (User, error) {
	user, err := a.store.User(ctx, userID)
	if err == nil && user == nil {
		err = errNoSuchUser
	}
	if err != nil {
		return User{}, err
	}
	return *user, nil
}

// Show finds a user by id, account or e-mail, in this order.
func (a *admins) Show(ctx context.Context, req contract.ShowUserRequest) (contract.AdminUser, error) {
	user, err := a.find(ctx, req.User)
	if err != nil {
		return contract.AdminUser{}, err
	}
	if err := a.record(ctx, act{req.Act, contract.ShowUser.Name, user.ID}); err != nil {
		return contract.AdminUser{}, err
	}
	return a.wire(ctx, user)
}

func (a *admins) find(ctx context.Context, name string) (User, error) {
	var user *User
	var err error
	if contract.ValidID(name) {
		user, err = a.store.User(ctx, name)
	}
	if user == nil && err == nil {
		if strings.Contains(name, "@") {
			user, err = a.store.UserByEmail(ctx, foldEmail(name))
		} else {
			user, err = a.store.UserByAccount(ctx, foldAccount(name))
		}
	}
	switch {
	case err != nil:
		return User{}, err
	case user == nil:
		return User{}, errNoSuchUser
	}
	return *user, nil
}

func (a *admins) wire(ctx context.Context, user User) (contract.AdminUser, error) {
	shown := contract.AdminUser{User: user.wire(), DisabledAt: set(user.DisabledAt), ErasedAt: set(user.ErasedAt), Sessions: []contract.Session{}}
	living, err := a.sessions.living(ctx, user)
	for _, session := range living[:min(len(living), maxSessions)] {
		shown.Sessions = append(shown.Sessions, session.wire(""))
	}
	return shown, err
}

// set is a time that may not be.
func set(t contract.Time) *contract.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// Disable ends all sessions of a user and lets them open none: in the write
// that begins the new epoch. Asked again it goes on with what a replica that
// died has left to do.
func (a *admins) Disable(ctx context.Context, req contract.AdminUserRequest) (contract.AdminUser, error) {
	by := act{req.Act, contract.DisableUser.Name, req.UserID}
	user, err := a.change(ctx, by, func(user *User) (changed bool, err error) {
		if user.gone() {
			return false, nil
		}
		user.DisabledAt = contract.NewTime(a.now())
		user.begin(user.DisabledAt, endedByDisable, "")
		return true, nil
	})
	if err != nil {
		return contract.AdminUser{}, err
	}
	a.sessions.finishSoon(ctx, user)
	a.announce(ctx, user.ID, true)
	return a.wire(ctx, user)
}

// Enable lets a disabled user log in again.
func (a *admins) Enable(ctx context.Context, req contract.AdminUserRequest) (contract.AdminUser, error) {
	by := act{req.Act, contract.EnableUser.Name, req.UserID}
	user, err := a.change(ctx, by, func(user *User) (changed bool, err error) {
		if !user.ErasedAt.IsZero() {
			return false, fault.New(fault.FailedPrecondition, "the user is erased")
		}
		changed = user.gone()
		user.DisabledAt = contract.Time{}
		return changed, nil
	})
	if err != nil {
		return contract.AdminUser{}, err
	}
	a.announce(ctx, user.ID, false)
	return a.wire(ctx, user)
}

// change changes a user and records who asked, in one write. A change that
// changes nothing is not recorded.
func (a *admins) change(ctx context.Context, by act, edit func(*User) (changed bool, err error)) (user User, err error) {
	err = revision.Retry(ctx, func() error {
		if user, err = a.user(ctx, by.userID); err != nil {
			return err
		}
		changed, err := edit(&user)
		if err != nil || !changed {
			return err
		}
		event, err := a.event(by, "")
		if err != nil {
			return err
		}
		user.Rev++
		return a.store.SaveUser(ctx, user, []contract.Event{event})
	})
	return user, err
}

// EndSessions ends one session of a user, or all that there are.
func (a *admins) EndSessions(ctx context.Context, req contract.EndSessionsRequest) (int, error) {
	by := act{req.Act, contract.EndSessions.Name, req.UserID}
	if req.SessionID != "" {
		return a.endSession(ctx, by, req.SessionID)
	}
	user, err := a.user(ctx, req.UserID)
	if err != nil {
		return 0, err
	}
	living, err := a.sessions.living(ctx, user)
	if err != nil {
		return 0, err
	}
	// A new epoch also if none is seen: one may be about to open.
	user, err = a.change(ctx, by, func(user *User) (changed bool, err error) {
		user.begin(contract.NewTime(a.now()), endedByRevoke, "")
		return true, nil
	})
	if err != nil {
		return 0, err
	}
	a.sessions.finishSoon(ctx, user)
	return len(living), nil
}

func (a *admins) endSession(ctx context.Context, by act, sessionID string) (int, error) {
	session, err := a.store.Session(ctx, sessionID)
	if err != nil {
		return 0, err
	}
	if session == nil || session.UserID != by.userID {
		return 0, fault.New(fault.NotFound, "there is no such session")
	}
	ended, err := a.sessions.End(ctx, sessionID, endedByRevoke, func(sessionID string) (contract.Event, error) { return a.event(by, sessionID) })
	if err != nil || !ended {
		return 0, err
	}
	return 1, nil
}

// IssueToken opens a session without a password.
func (a *admins) IssueToken(ctx context.Context, req contract.IssueTokenRequest) (contract.Grant, error) {
	by := act{req.Act, contract.IssueToken.Name, req.UserID}
	user, err := a.user(ctx, req.UserID)
	if err != nil {
		return contract.Grant{}, err
	}
	if user.gone() {
		return contract.Grant{}, fault.New(fault.FailedPrecondition, "the account is disabled")
	}
	return a.sessions.Open(ctx, user, req.DeviceName, func(sessionID string) (contract.Event, error) { return a.event(by, sessionID) })
}

// Keys are the accepted signing keys, the youngest first.
func (a *admins) Keys(ctx context.Context, by contract.Act) ([]contract.SigningKey, error) {
	r, err := a.keys.load(ctx)
	if err != nil {
		return nil, err
	}
	event, err := audited(by, contract.ListKeys.Name, keysKey, contract.AuditEvent{}, a.now())
	if err != nil {
		return nil, err
	}
	return a.keys.list(r, a.keys.now()), a.store.Post(ctx, []contract.Event{event})
}
