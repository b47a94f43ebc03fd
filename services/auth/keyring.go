package auth

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/revision"
	"github.com/parley-im/parley/pkg/token"
)

// keyWait bounds one reading of the keys.
const keyWait = 5 * time.Second

type keyOptions struct {
	reload    time.Duration // between two readings
	rotation  time.Duration // between two keys; 0: only by hand
	accessTTL time.Duration
}

// lead is how long before it signs a key is there to be read. By then every
// replica knows it, whatever its clock says: a gateway may ask any of them for
// the key of a token that it has just seen.
func (o keyOptions) lead() time.Duration { return 2*o.reload + clockGrace }

// keyring holds the signing keys that all replicas share. Of each generation
// there is one key. It signs from a time of its own on, until the next takes
// over, and is accepted until the last token signed with it has run out.
type keyring struct {
	store  Store
	secret Secret
	o      keyOptions
	now    func() time.Time
	// trusted is the time by which keys are made and forgotten.
	trusted func(context.Context) (time.Time, error)
	log     *slog.Logger

	flight singleflight.Group // one reading at a time
	ring   atomic.Pointer[ring]
}

// ring is the keys as they were read at one time, the oldest first.
type ring struct {
	keys []ringKey
	read time.Time // of the wall: a monotonic clock stands still while a machine is suspended
}

// load reads the keys, and makes the first when there is none. Of several
// replicas that start at once, all keep the one that was faster.
func (k *keyring) load(ctx context.Context) (*ring, error) {
	read := k.now().Round(0)
	list, err := k.store.Keys(ctx)
	if err == nil && len(list) == 0 {
		if _, err = k.add(ctx, 1, contract.NewTime(read)); err == nil {
			list, err = k.store.Keys(ctx)
		}
	}
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, errors.New("the signing key that was kept is not there")
	}
	r := &ring{read: read}
	for _, sealed := range list {
		key, err := k.open(sealed)
		if err != nil {
			return nil, err
		}
		r.keys = append(r.keys, key)
	}
	k.ring.Store(r)
	return r, nil
}

// add makes the key of a generation, unless another replica was faster; then
// nothing of the events was kept either.
func (k *keyring) add(ctx context.Context, generation int64, signsFrom contract.Time, events ...func(kid string) (contract.Event, error)) (added bool, err error) {
	sealed, err := k.newKey(generation, signsFrom)
	if err != nil {
		return false, err
	}
	var list []contract.Event
	for _, about := range events {
		event, err := about(sealed.ID)
		if err != nil {
			return false, err
		}
		list = append(list, event)
	}
	switch err := k.store.AddKey(ctx, sealed, list); {
	case err == nil:
		return true, nil
	case errors.Is(err, revision.ErrConflict):
		return false, nil
	default:
		return false, err
	}
}

// fresh is the keys, read not much longer ago than one reload: a replica whose
// store is away, or that stood still, does not answer from what it knew before.
func (k *keyring) fresh(ctx context.Context) (*ring, error) {
	if r := k.ring.Load(); r != nil {
		// A clock that was set back tells nothing.
		if age := k.now().Round(0).Sub(r.read); 0 <= age && age < k.o.reload*3/2 {
			return r, nil
		}
	}
	// Ends with keyWait; who asks meanwhile shares it.
	read := k.flight.DoChan("", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keyWait)
		defer cancel()
		return k.load(ctx)
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case done := <-read:
		r, _ := done.Val.(*ring)
		return r, done.Err
	}
}

// Sign makes an access token.
func (k *keyring) Sign(ctx context.Context, userID, sessionID string) (string, error) {
	r, err := k.fresh(ctx)
	if err != nil {
		return "", err
	}
	raw, _, err := r.signing(k.now()).signer.Sign(userID, sessionID)
	return raw, err
}

// signing is the youngest key whose time has come.
func (r *ring) signing(now time.Time) ringKey {
	for i := len(r.keys) - 1; i > 0; i-- {
		if !r.keys[i].SignsFrom.After(now) {
			return r.keys[i]
		}
	}
	return r.keys[0]
}

// JWKS are the keys that may have signed a living token, or soon will.
func (k *keyring) JWKS(ctx context.Context) (contract.JWKS, error) {
	r, err := k.fresh(ctx)
	if err != nil {
		return contract.JWKS{}, err
	}
	return public(k.accepted(r, k.now())), nil
}

// accepted are the keys that have not retired, the oldest first.
func (k *keyring) accepted(r *ring, now time.Time) []ringKey {
	for i := range r.keys {
		if end := k.retiredAt(r, i); end == nil || end.After(now) {
			return r.keys[i:]
		}
	}
	return r.keys
}

// retiredAt is when the last token of a key has run out, once the first of those
// after it has taken over; nil for the youngest.
func (k *keyring) retiredAt(r *ring, i int) *contract.Time {
	if i == len(r.keys)-1 {
		return nil
	}
	first := slices.MinFunc(r.keys[i+1:], func(a, b ringKey) int { return a.SignsFrom.Compare(b.SignsFrom.Time) })
	end := contract.NewTime(first.SignsFrom.Add(k.o.accessTTL + token.Leeway + 2*clockGrace))
	return &end
}

// List are the accepted keys, the youngest first.
func (k *keyring) list(r *ring, now time.Time) []contract.SigningKey {
	accepted := k.accepted(r, now)
	list := make([]contract.SigningKey, 0, len(accepted))
	for i := len(r.keys) - 1; i >= len(r.keys)-len(accepted); i-- {
		key := r.keys[i]
		list = append(list, contract.SigningKey{ID: key.ID, CreatedAt: key.CreatedAt, SignsFrom: key.SignsFrom, RetiredAt: k.retiredAt(r, i)})
	}
	return list
}
