package auth

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/id"
	"github.com/parley-im/parley/pkg/revision"
)

// errLogin is the same whatever was wrong.
var errLogin = fault.New(fault.Unauthenticated, "wrong account or password")

// credentials checks and changes passwords.
type credentials struct {
	*accounts
	failed *failedLogins
	log    *slog.Logger
}

// Login returns the user whose password it is. An unknown account costs the
// same time and gets the same answer as a wrong password.
func (c *credentials) Login(ctx context.Context, req contract.LoginRequest) (User, error) {
	user, outcome, err := c.login(ctx, req)
	c.metrics.logins.WithLabelValues(outcome).Inc()
	if err != nil {
		if user != nil {
			c.failed.add(ctx, user.ID, outcome)
		}
		return User{}, err
	}
	c.limits.Meet(ctx, user.ID, req.Address)
	return c.rehash(ctx, *user, req.Password), nil
}

// login also returns whose account it is when it fails.
func (c *credentials) login(ctx context.Context, req contract.LoginRequest) (user *User, outcome string, err error) {
	find := c.store.UserByAccount
	if strings.Contains(req.Account, "@") {
		find = c.store.UserByEmail
	}
	if user, err = find(ctx, req.Account); err != nil {
		return nil, loginFailed, err
	}
	var userID, hash string
	outcome = loginUnknown
	if user != nil {
		userID, hash, outcome = user.ID, user.Password, loginWrong
	}
	known, err := c.limits.Knows(ctx, userID, req.Address)
	if err != nil {
		return user, loginFailed, err
	}
	// By the name that was typed: by the user it would tell which e-mail and
	// which account are the same.
	forgive, err := c.limits.Attempt(ctx, req.Account, req.Address, known)
	if err != nil {
		return user, exhausted(err, loginLimited), err
	}
	right, err := c.passwords.Verify(ctx, req.Password, hash)
	if err != nil {
		forgive()
		return user, exhausted(err, loginBusy), err
	}
	if !right {
		return user, outcome, errLogin
	}
	forgive()
	if user.gone() {
		return user, loginDisabled, errDisabled
	}
	return user, loginOK, nil
}

// rehash brings the stored hash up to today's parameters. It may fail: the
// next login tries again.
func (c *credentials) rehash(ctx context.Context, user User, password string) User {
	if !c.passwords.Outdated(user.Password) {
		return user
	}
	hash, err := c.passwords.Hash(ctx, password)
	if err != nil {
		return user
	}
	renewed := user
	renewed.Password = hash
	renewed.Rev++
	if err := c.store.SaveUser(ctx, renewed, nil); err != nil {
		if !errors.Is(err, revision.ErrConflict) {
			c.log.WarnContext(ctx, "rehash password", "err", err)
		}
		return user
	}
	return renewed
}

// Change sets a new password with the old one, and ends the user's other
// sessions.
func (c *credentials) Change(ctx context.Context, req contract.ChangePasswordRequest) error {
	user, session, err := c.sessions.Alive(ctx, req.Caller)
	if err != nil {
		return err
	}
	if easy(req.NewPassword, user.Account, user.Email, user.Nickname) {
		return fault.Invalid("new_password", "is too easy to guess")
	}
	forgive, err := c.limits.Attempt(ctx, "change of "+user.ID, "", true)
	if err != nil {
		return err
	}
	right, err := c.passwords.Verify(ctx, req.OldPassword, user.Password)
	if err != nil {
		forgive()
		return err
	}
	if !right {
		return fault.Invalid("old_password", "is wrong")
	}
	forgive()
	hash, err := c.passwords.Hash(ctx, req.NewPassword)
	if err != nil {
		return err
	}
	// The old password was right in this epoch, and counts in no other.
	epoch := user.Epoch
	return c.set(ctx, hash, endedByPassword, session.ID, func() (*User, error) {
		current, _, err := c.sessions.Alive(ctx, req.Caller)
		if err == nil && current.Epoch != epoch {
			err = fault.Invalid("old_password", "is wrong")
		}
		return &current, err
	})
}

// Reset sets a new password with a mailed code, and ends all sessions.
func (c *credentials) Reset(ctx context.Context, req contract.ResetPasswordRequest) error {
	hash, err := c.spend(ctx, req.Email, contract.PurposeResetPassword, req.Code, req.Address, req.Password)
	if err != nil {
		return err
	}
	var userID string
	err = c.set(ctx, hash, endedByReset, "", func() (*User, error) {
		user, err := c.store.UserByEmail(ctx, req.Email)
		if err == nil && user == nil {
			err = errCode
		}
		if err == nil {
			userID = user.ID
		}
		return user, err
	})
	if err == nil {
		c.limits.Meet(ctx, userID, req.Address)
	}
	return err
}

// set begins a new epoch: in one write the password changes and every session
// but the kept one dies.
func (c *credentials) set(ctx context.Context, hash, reason, keep string, load func() (*User, error)) error {
	var user User
	err := revision.Retry(ctx, func() error {
		loaded, err := load()
		if err != nil {
			return err
		}
		now := contract.NewTime(c.now())
		user = *loaded
		user.Password = hash
		user.begin(now, reason, keep)
		user.Rev++
		event, err := contract.PasswordChanged.New(id.New(), user.ID, now.Time, contract.UserEvent{UserID: user.ID})
		if err != nil {
			return err
		}
		return c.store.SaveUser(ctx, user, []contract.Event{event})
	})
	if err != nil {
		return err
	}
	c.sessions.finishSoon(ctx, user)
	return nil
}
