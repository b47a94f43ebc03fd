package auth

import (
	"cmp"
	"crypto/ed25519"
	"fmt"
	"slices"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/token"
)

// ringKey is a signing key that was opened.
type ringKey struct {
	SealedKey
	private ed25519.PrivateKey
	signer  *token.Signer
}

// newKey makes and seals a key of a generation.
func (k *keyring) newKey(generation int64, signsFrom contract.Time) (SealedKey, error) {
	now := k.now()
	key, err := token.NewKey(now)
	if err != nil {
		return SealedKey{}, err
	}
	sealed := SealedKey{Generation: generation, ID: key.ID, CreatedAt: contract.NewTime(now), SignsFrom: signsFrom}
	if sealed.Sealed, err = k.secret.seal(forSigningKey, key.ID, key.Private.Seed()); err != nil {
		return SealedKey{}, fmt.Errorf("seal signing key: %w", err)
	}
	return sealed, nil
}

// open opens a key that any replica has sealed.
func (k *keyring) open(sealed SealedKey) (ringKey, error) {
	seed, err := k.secret.unseal(forSigningKey, sealed.ID, sealed.Sealed)
	if err != nil || len(seed) != ed25519.SeedSize {
		return ringKey{}, fmt.Errorf("open signing key %s: AUTH_KEY_SECRET is not the one it was sealed with: %w", sealed.ID, errUnsealed)
	}
	key := token.Key{ID: sealed.ID, Private: ed25519.NewKeyFromSeed(seed), CreatedAt: sealed.CreatedAt.Time}
	return ringKey{SealedKey: sealed, private: key.Private, signer: token.NewSigner(key, k.o.accessTTL, k.now)}, nil
}

// inOrder sorts keys, the oldest first. One that an older program has made does
// not say from when on it signs.
func inOrder(list []SealedKey) []SealedKey {
	for i, k := range list {
		if k.SignsFrom.IsZero() {
			list[i].SignsFrom = k.CreatedAt
		}
	}
	slices.SortFunc(list, func(a, b SealedKey) int { return cmp.Compare(a.Generation, b.Generation) })
	return list
}

// public are the keys for verifiers.
func public(keys []ringKey) contract.JWKS {
	list := make([]token.Key, len(keys))
	for i, key := range keys {
		list[i] = token.Key{ID: key.ID, Private: key.private}
	}
	return token.JWKS(list...)
}
