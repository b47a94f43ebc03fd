package token

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
)

// Key is a signing key.
type Key struct {
	ID        string // the kid of tokens signed with it
	Private   ed25519.PrivateKey
	CreatedAt time.Time
}

// NewKey makes a random key.
func NewKey(now time.Time) (Key, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return Key{}, fmt.Errorf("make signing key: %w", err)
	}
	return Key{ID: id.New(), Private: private, CreatedAt: now}, nil
}

// The only kind of key there is (RFC 8037).
const (
	keyType   = "OKP"
	keyCurve  = "Ed25519"
	keyUse    = "sig"
	algorithm = "EdDSA"
)

var errNotEd25519 = errors.New("not an Ed25519 public key for signatures")

// JWKS is the public half of keys, for verifiers.
func JWKS(keys ...Key) contract.JWKS {
	set := contract.JWKS{Keys: make([]contract.JWK, len(keys))}
	for i, k := range keys {
		public, _ := k.Private.Public().(ed25519.PublicKey) // always is one
		set.Keys[i] = contract.JWK{
			Kty: keyType, Crv: keyCurve, Use: keyUse, Alg: algorithm, Kid: k.ID,
			X: base64.RawURLEncoding.EncodeToString(public),
		}
	}
	return set
}

func publicKey(jwk contract.JWK) (ed25519.PublicKey, error) {
	x, err := base64.RawURLEncoding.DecodeString(jwk.X)
	if err != nil || len(x) != ed25519.PublicKeySize || jwk.Kty != keyType || jwk.Crv != keyCurve ||
		jwk.Use != keyUse || jwk.Alg != algorithm || jwk.Kid == "" {
		return nil, errNotEd25519
	}
	return x, nil
}
