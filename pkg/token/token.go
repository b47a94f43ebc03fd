// Package token makes and checks access tokens: JWTs signed with Ed25519
// (RFC 8037). The algorithm is fixed, the key is looked up by its id in a
// fixed map, and nothing in a token chooses how it is checked.
package token

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/parley-im/parley/pkg/contract"
)

const (
	issuer   = "parley"
	audience = "parley"
	// Leeway is how long after its end a token passes, for clocks that
	// differ a little.
	Leeway = 2 * time.Second
)

// What is wrong with a token.
var (
	// ErrExpired: it was good once.
	ErrExpired = errors.New("token has expired")
	// ErrUnknownKey: signed with a key that the verifier does not have, which
	// may be newer than the verifier's set.
	ErrUnknownKey = errors.New("token is signed with an unknown key")
	// ErrInvalid: anything else.
	ErrInvalid = errors.New("token is not valid")
)

// Claims is what a verified token says.
type Claims struct {
	UserID    string
	SessionID string
	IssuedAt  time.Time
	ExpiresAt time.Time
}

// payload is the JWT's body.
type payload struct {
	SessionID string `json:"sid"`
	jwt.RegisteredClaims
}

// Signer signs tokens with one key. It is safe for concurrent use.
type Signer struct {
	key Key
	ttl time.Duration
	now func() time.Time
}

// NewSigner signs tokens that live for ttl.
func NewSigner(k Key, ttl time.Duration, now func() time.Time) *Signer {
	return &Signer{key: k, ttl: ttl, now: now}
}

// Sign returns a token for one session of a user, and when it ends.
func (s *Signer) Sign(userID, sessionID string) (raw string, expires time.Time, err error) {
	now := s.now()
	expires = now.Add(s.ttl).Truncate(time.Second)
	t := jwt.NewWithClaims(jwt.SigningMethodEdDSA, payload{
		SessionID: sessionID,
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer:    issuer,
			Audience:  jwt.ClaimStrings{audience},
			Subject:   userID,
			IssuedAt:  jwt.NewNumericDate(now),
			ExpiresAt: jwt.NewNumericDate(expires),
		},
	})
	t.Header["kid"] = s.key.ID
	raw, err = t.SignedString(s.key.Private)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("sign token: %w", err)
	}
	return raw, expires, nil
}

// Verifier checks tokens against a set of keys. It is safe for concurrent
// use; before SetKeys it knows no key.
type Verifier struct {
	parser *jwt.Parser
	keys   atomic.Pointer[map[string]ed25519.PublicKey]
}

// NewVerifier returns a verifier that tells the time by now.
func NewVerifier(now func() time.Time) *Verifier {
	v := &Verifier{parser: jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}),
		jwt.WithIssuer(issuer),
		jwt.WithAudience(audience),
		jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(),
		jwt.WithLeeway(Leeway),
		jwt.WithTimeFunc(now),
	)}
	v.keys.Store(&map[string]ed25519.PublicKey{})
	return v
}

// SetKeys replaces the keys. A set with a key that is no Ed25519 key is
// refused as a whole, and the one before stays.
func (v *Verifier) SetKeys(set contract.JWKS) error {
	keys := make(map[string]ed25519.PublicKey, len(set.Keys))
	for _, jwk := range set.Keys {
		key, err := publicKey(jwk)
		if err != nil {
			return fmt.Errorf("key %q: %w", jwk.Kid, err)
		}
		keys[jwk.Kid] = key
	}
	v.keys.Store(&keys)
	return nil
}

// Verify returns what a good token says. The error is, or wraps, ErrExpired,
// ErrUnknownKey or ErrInvalid; it does not hold the token.
func (v *Verifier) Verify(raw string) (Claims, error) {
	var p payload
	_, err := v.parser.ParseWithClaims(raw, &p, v.key)
	switch {
	case errors.Is(err, ErrUnknownKey):
		return Claims{}, ErrUnknownKey
	case errors.Is(err, jwt.ErrTokenExpired):
		return Claims{}, ErrExpired
	case err != nil:
		return Claims{}, ErrInvalid
	case !contract.ValidID(p.Subject) || !contract.ValidID(p.SessionID) || p.IssuedAt == nil:
		return Claims{}, ErrInvalid
	}
	return Claims{
		UserID:    p.Subject,
		SessionID: p.SessionID,
		IssuedAt:  p.IssuedAt.Time,
		ExpiresAt: p.ExpiresAt.Time,
	}, nil
}

// key finds the key that a token names.
func (v *Verifier) key(t *jwt.Token) (any, error) {
	kid, ok := t.Header["kid"].(string)
	if !ok {
		return nil, ErrInvalid
	}
	key, ok := (*v.keys.Load())[kid]
	if !ok {
		return nil, ErrUnknownKey
	}
	return key, nil
}
