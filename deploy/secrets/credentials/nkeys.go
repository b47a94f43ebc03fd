package credentials

import (
	"errors"
	"fmt"

	"github.com/nats-io/nkeys"

	natsconf "github.com/parley-im/parley/deploy/nats"
)

// RotateNKeys gives every NATS user a new key, and lets the one that it had
// count as its old one: what was old before counts no more. It fails, with s
// unchanged, when a user has no key yet.
func (s Set) RotateNKeys() error {
	var errs []error
	for _, user := range natsconf.Users() {
		if s[natsconf.NKeyVar(user)] == "" {
			errs = append(errs, fmt.Errorf("%s is missing", natsconf.NKeyVar(user)))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for _, user := range natsconf.Users() {
		seed, public, err := newNKey()
		if err != nil {
			return err
		}
		s[natsconf.OldNKeyVar(user)] = s[natsconf.NKeyVar(user)]
		s[natsconf.SeedVar(user)], s[natsconf.NKeyVar(user)] = seed, public
	}
	return nil
}

// fillNKey makes what a user lacks. Its first old key is one whose seed nobody
// has: servers want both to be set.
func (s Set) fillNKey(user string) error {
	seedVar, nkeyVar, oldVar := natsconf.SeedVar(user), natsconf.NKeyVar(user), natsconf.OldNKeyVar(user)
	if s[seedVar] == "" && s[nkeyVar] != "" {
		return fmt.Errorf("%s is there without %s", nkeyVar, seedVar)
	}
	if s[seedVar] == "" {
		seed, public, err := newNKey()
		if err != nil {
			return err
		}
		s[seedVar], s[nkeyVar] = seed, public
	}
	public, err := publicNKey(s[seedVar])
	if err != nil {
		return fmt.Errorf("%s: %w", seedVar, err)
	}
	s.ensure(nkeyVar, func() string { return public })
	if s[nkeyVar] != public {
		return fmt.Errorf("%s is not the public half of %s", nkeyVar, seedVar)
	}
	if s[oldVar] == "" {
		_, unknown, err := newNKey()
		if err != nil {
			return err
		}
		s[oldVar] = unknown
	}
	return nil
}

func newNKey() (seed, public string, err error) {
	pair, err := nkeys.CreateUser()
	if err != nil {
		return "", "", fmt.Errorf("make an NKey: %w", err)
	}
	text, err := pair.Seed()
	if err != nil {
		return "", "", fmt.Errorf("make an NKey: %w", err)
	}
	public, err = pair.PublicKey()
	if err != nil {
		return "", "", fmt.Errorf("make an NKey: %w", err)
	}
	return string(text), public, nil
}

// publicNKey is the public half of a user's seed. Its errors hold nothing of
// the seed.
func publicNKey(seed string) (string, error) {
	pair, err := nkeys.FromSeed([]byte(seed))
	if err != nil {
		return "", errors.New("is no NKey seed")
	}
	public, err := pair.PublicKey()
	if err != nil || !nkeys.IsValidPublicUserKey(public) {
		return "", errors.New("is no user's NKey seed, SU…")
	}
	return public, nil
}
