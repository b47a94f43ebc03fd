package auth

import (
	"context"
	"time"

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

func (k *keyring) round(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, keyWait)
	defer cancel()
	r, err := k.load(ctx)
	if err != nil {
		return err
	}
	if youngest := r.youngest(); k.due(youngest) {
		added, err := k.add(ctx, youngest.Generation+1, k.takesOver())
		if err != nil {
			return err
		}
		if added {
			k.log.InfoContext(ctx, "made the next signing key", "generation", youngest.Generation+1)
		}
		if r, err = k.load(ctx); err != nil {
			return err
		}
	}
	for _, key := range r.keys[:len(r.keys)-len(k.accepted(r))] {
		if err := k.store.ForgetKey(ctx, key.Generation); err != nil {
			return err
		}
		k.log.InfoContext(ctx, "forgot a signing key", "generation", key.Generation)
	}
	return nil
}

func (r *ring) youngest() ringKey { return r.keys[len(r.keys)-1] }

// due reports whether the schedule asks for a key after the youngest.
func (k *keyring) due(youngest ringKey) bool {
	return k.o.rotation > 0 && k.now().Sub(youngest.SignsFrom.Time) >= k.o.rotation-k.o.lead()
}

// takesOver is when a key that is made now begins to sign.
func (k *keyring) takesOver() contract.Time { return contract.NewTime(k.now().Add(k.o.lead())) }

// waits reports whether a key is about to take over. One of a much later time
// was made by a clock that was ahead, and would keep its successor waiting.
func (k *keyring) waits(youngest ringKey) bool {
	now := k.now()
	return youngest.SignsFrom.After(now) && !youngest.SignsFrom.After(now.Add(2*k.o.lead()))
}

// Rotate makes the next key, for an admin, unless one waits to take over.
func (k *keyring) Rotate(ctx context.Context, act contract.Act) ([]contract.SigningKey, error) {
	r, err := k.load(ctx)
	if err != nil {
		return nil, err
	}
	youngest := r.youngest()
	if k.waits(youngest) {
		return k.list(r), nil
	}
	if len(k.accepted(r)) >= maxKeys {
		return nil, fault.New(fault.FailedPrecondition, "too many keys may have signed living tokens; wait until some have retired")
	}
	_, err = k.add(ctx, youngest.Generation+1, k.takesOver(), func(kid string) (contract.Event, error) {
		return audited(act, contract.RotateKeys.Name, keysKey, contract.AuditEvent{KeyID: kid}, k.now())
	})
	if err != nil {
		return nil, err
	}
	if r, err = k.load(ctx); err != nil {
		return nil, err
	}
	return k.list(r), nil
}
