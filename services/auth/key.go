package auth

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/revision"
	"github.com/parley-im/parley/pkg/token"
)

// loadKey returns the signing key that all replicas share, and makes it on
// the first start. Of several that start at once, all return the one that was
// kept first.
func loadKey(ctx context.Context, store Store, secret Secret, now time.Time) (token.Key, error) {
	sealed, err := store.Key(ctx)
	if err != nil {
		return token.Key{}, err
	}
	if sealed == nil {
		if sealed, err = addKey(ctx, store, secret, now); err != nil {
			return token.Key{}, err
		}
	}
	seed, err := secret.unseal(forSigningKey, sealed.ID, sealed.Sealed)
	if err != nil || len(seed) != ed25519.SeedSize {
		return token.Key{}, fmt.Errorf("open signing key %s: AUTH_KEY_SECRET is not the one it was sealed with: %w", sealed.ID, errUnsealed)
	}
	return token.Key{ID: sealed.ID, Private: ed25519.NewKeyFromSeed(seed), CreatedAt: sealed.CreatedAt.Time}, nil
}

// addKey keeps a new key, or loads that of whoever was faster.
func addKey(ctx context.Context, store Store, secret Secret, now time.Time) (*SealedKey, error) {
	key, err := token.NewKey(now)
	if err != nil {
		return nil, err
	}
	sealed := SealedKey{ID: key.ID, CreatedAt: contract.NewTime(now)}
	if sealed.Sealed, err = secret.seal(forSigningKey, key.ID, key.Private.Seed()); err != nil {
		return nil, fmt.Errorf("seal signing key: %w", err)
	}
	err = store.AddKey(ctx, sealed)
	if err != nil && !errors.Is(err, revision.ErrConflict) {
		return nil, err
	}
	kept, err := store.Key(ctx)
	if err == nil && kept == nil {
		err = errors.New("the signing key that was kept is not there")
	}
	return kept, err
}
