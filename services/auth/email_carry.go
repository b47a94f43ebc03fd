package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/parley-im/parley/pkg/revision"
)

// carryBatch is how many users one look at the store brings.
const carryBatch = 500

// carryEmails gives addresses that were stored before there was one form of
// each their form. Of several users whose addresses are one, the oldest keeps
// it; the others are logged, by id. Every start does so: a replica that died
// leaves the rest to the next, and of several at once each write counts once.
func carryEmails(ctx context.Context, store Store, log *slog.Logger) error {
	for after := ""; ; {
		users, err := store.InternationalUsers(ctx, after, carryBatch)
		if err != nil {
			return fmt.Errorf("carry e-mail addresses over: %w", err)
		}
		for _, user := range users {
			if err := carryEmail(ctx, store, log, user); err != nil {
				return fmt.Errorf("carry e-mail addresses over: %w", err)
			}
			after = user.ID
		}
		if len(users) < carryBatch {
			return nil
		}
	}
}

// carriedEmail returns the form in which an address is carried over; false if it
// can get no mail.
func carriedEmail(address string) (string, bool) {
	email, err := canonicalEmail(address)
	return email, err == nil
}

func carryEmail(ctx context.Context, store Store, log *slog.Logger, user User) error {
	email, getsMail := carriedEmail(user.Email)
	if !getsMail {
		log.WarnContext(ctx, "an account's e-mail address can get no mail; its user logs in by the account", "user", user.ID)
		return nil
	}
	if email == user.Email {
		return nil
	}
	holder, err := store.UserByEmail(ctx, email)
	if err != nil {
		return err
	}
	if holder != nil {
		if !user.CreatedAt.Before(holder.CreatedAt.Time) {
			log.WarnContext(ctx, "an older account has the same e-mail address; the user of this one logs in by the account", "user", user.ID)
			return nil
		}
		log.WarnContext(ctx, "an older account has the same e-mail address; the user of this one logs in by the account", "user", holder.ID)
		if err := saveEmail(ctx, store, *holder, noEmail(holder.ID)); err != nil {
			return err
		}
	}
	return saveEmail(ctx, store, user, email)
}

// saveEmail passes over a user whom another has changed meanwhile.
func saveEmail(ctx context.Context, store Store, user User, email string) error {
	user.Email = email
	user.Rev++
	err := store.SaveUser(ctx, user, nil)
	if errors.Is(err, revision.ErrConflict) || errors.Is(err, ErrEmailTaken) {
		return nil
	}
	return err
}
