package auth

import (
	"context"
	"errors"
	"time"

	"github.com/parley-im/parley/pkg/clock"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
)

// maxKeys is how many keys may be accepted at the same time: verifiers read all
// of them in one answer.
const maxKeys = 100

// Run reads the keys again and again, makes the next one when it is due, and
// forgets those that have retired, until ctx ends. All replicas do; the store
// lets one of them win.
func (k *keyring) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(k.o.reload):
		}
		if err := k.round(ctx); err != nil && ctx.Err() == nil {
			k.log.WarnContext(ctx, "look after signing keys", "err", err)
		}
	}
}

// round makes and forgets keys by a trusted time only: a key that is dated
// wrongly would retire others, and a key that is forgotten is gone.
func (k *keyring) round(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, keyWait)
	defer cancel()
	r, err := k.load(ctx)
	if err != nil {
		return err
	}
	now, err := k.trusted(ctx)
	if errors.Is(err, clock.ErrSkewed) {
		return nil // the clock's own loop logs it
	}
	if err != nil {
		return err
	}
	if k.due(r, now) {
		if r, err = k.addNext(ctx, r, now); err != nil {
			return err
		}
	}
	for _, key := range r.keys[:len(r.keys)-len(k.accepted(r, now))] {
		if err := k.store.ForgetKey(ctx, key.Generation); err != nil {
			return err
		}
		k.log.InfoContext(ctx, "forgot a signing key", "generation", key.Generation)
	}
	return nil
}

// addNext makes the key that is due, and reads the keys again.
func (k *keyring) addNext(ctx context.Context, r *ring, now time.Time) (*ring, error) {
	next := r.youngest().Generation + 1
	added, err := k.add(ctx, next, k.takesOver(now))
	if err != nil {
		return nil, err
	}
	if added {
		k.log.InfoContext(ctx, "made the next signing key", "generation", next)
	}
	return k.load(ctx)
}

func (r *ring) youngest() ringKey { return r.keys[len(r.keys)-1] }

// due reports whether the schedule asks for another key. A key of a much later
// time was made by a clock that was ahead: the schedule goes by the youngest of
// the others.
func (k *keyring) due(r *ring, now time.Time) bool {
	if k.o.rotation <= 0 || len(k.accepted(r, now)) >= maxKeys {
		return false
	}
	for i := len(r.keys) - 1; i >= 0; i-- {
		if from := r.keys[i].SignsFrom; k.believable(from, now) {
			return now.Sub(from.Time) >= k.o.rotation-k.o.lead()
		}
	}
	return true
}

// takesOver is when a key that is made now begins to sign.
func (k *keyring) takesOver(now time.Time) contract.Time {
	return contract.NewTime(now.Add(k.o.lead()))
}

// believable reports whether a key can have been made to sign from then on.
func (k *keyring) believable(signsFrom contract.Time, now time.Time) bool {
	return !signsFrom.After(now.Add(2 * k.o.lead()))
}

// waits reports whether a key is about to take over.
func (k *keyring) waits(youngest ringKey, now time.Time) bool {
	return youngest.SignsFrom.After(now) && k.believable(youngest.SignsFrom, now)
}

// Rotate makes the next key, for an admin, unless one waits to take over.
// Unavailable while the clock cannot be trusted: a key of another time would
// retire the keys before it at that time.
func (k *keyring) Rotate(ctx context.Context, act contract.Act) ([]contract.SigningKey, error) {
	r, err := k.load(ctx)
	if err != nil {
		return nil, err
	}
	now, err := k.trusted(ctx)
	if errors.Is(err, clock.ErrSkewed) {
		return nil, fault.New(fault.Unavailable, "no key can be made while the clock of this replica cannot be trusted").Because(err)
	}
	if err != nil {
		return nil, err
	}
	youngest := r.youngest()
	if k.waits(youngest, now) {
		return k.list(r, now), nil
	}
	if len(k.accepted(r, now)) >= maxKeys {
		return nil, fault.New(fault.FailedPrecondition, "too many keys may have signed living tokens; wait until some have retired")
	}
	_, err = k.add(ctx, youngest.Generation+1, k.takesOver(now), func(kid string) (contract.Event, error) {
		return audited(act, contract.RotateKeys.Name, keysKey, contract.AuditEvent{KeyID: kid}, now)
	})
	if err != nil {
		return nil, err
	}
	if r, err = k.load(ctx); err != nil {
		return nil, err
	}
	return k.list(r, now), nil
}
