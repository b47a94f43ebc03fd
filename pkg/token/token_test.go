package token_test

import (
	"crypto/ed25519"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/token"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func setup(t testing.TB) (key token.Key, signer *token.Signer, verifier *token.Verifier, clock *time.Time) {
	t.Helper()
	now := start
	clock = &now
	key, err := token.NewKey(now)
	if err != nil {
		t.Fatal(err)
	}
	signer = token.NewSigner(key, 15*time.Minute, func() time.Time { return *clock })
	verifier = token.NewVerifier(func() time.Time { return *clock })
	if err := verifier.SetKeys(token.JWKS(key)); err != nil {
		t.Fatal(err)
	}
	return key, signer, verifier, clock
}

func TestVerify_a_signed_token(t *testing.T) {
	_, signer, verifier, clock := setup(t)
	raw, expires, err := signer.Sign("u1", "s1")
	if err != nil {
		t.Fatal(err)
	}
	want := token.Claims{UserID: "u1", SessionID: "s1", IssuedAt: start, ExpiresAt: start.Add(15 * time.Minute)}
	got, err := verifier.Verify(raw)
	if err != nil || !got.IssuedAt.Equal(want.IssuedAt) || !got.ExpiresAt.Equal(want.ExpiresAt) || !expires.Equal(want.ExpiresAt) || got.UserID != "u1" || got.SessionID != "s1" {
		t.Fatalf("got %+v, %v", got, err)
	}
	*clock = expires.Add(token.Leeway - time.Second)
	if _, err := verifier.Verify(raw); err != nil {
		t.Fatalf("within the leeway: %v", err)
	}
	*clock = expires.Add(token.Leeway + time.Second)
	if _, err := verifier.Verify(raw); !errors.Is(err, token.ErrExpired) {
		t.Fatalf("after it: %v", err)
	}
}

func TestVerify_refuses(t *testing.T) {
	key, signer, verifier, _ := setup(t)
	other, err := token.NewKey(start)
	if err != nil {
		t.Fatal(err)
	}
	raw, _, err := signer.Sign("u1", "s1")
	if err != nil {
		t.Fatal(err)
	}
	foreign, _, err := token.NewSigner(other, time.Minute, func() time.Time { return start }).Sign("u1", "s1")
	if err != nil {
		t.Fatal(err)
	}
	public := key.Private.Public().(ed25519.PublicKey)
	claims := func(change func(jwt.MapClaims)) jwt.MapClaims {
		c := jwt.MapClaims{"iss": "parley", "aud": "parley", "sub": "u1", "sid": "s1", "iat": start.Unix(), "exp": start.Add(time.Minute).Unix()}
		change(c)
		return c
	}
	good := claims(func(jwt.MapClaims) {})
	for name, c := range map[string]struct {
		raw  string
		want error
	}{
		"nothing":                   {"", token.ErrInvalid},
		"no token":                  {"a.b.c", token.ErrInvalid},
		"a changed body":            {tamper(raw), token.ErrInvalid},
		"an unknown key":            {foreign, token.ErrUnknownKey},
		"alg none":                  {sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, key.ID, good), token.ErrInvalid},
		"HS256 with the public key": {sign(t, jwt.SigningMethodHS256, []byte(public), key.ID, good), token.ErrInvalid},
		"another's key under ours":  {sign(t, jwt.SigningMethodEdDSA, other.Private, key.ID, good), token.ErrInvalid},
		"another audience":          {sign(t, jwt.SigningMethodEdDSA, key.Private, key.ID, claims(func(c jwt.MapClaims) { c["aud"] = "other" })), token.ErrInvalid},
		"another issuer":            {sign(t, jwt.SigningMethodEdDSA, key.Private, key.ID, claims(func(c jwt.MapClaims) { c["iss"] = "other" })), token.ErrInvalid},
		"no session":                {sign(t, jwt.SigningMethodEdDSA, key.Private, key.ID, claims(func(c jwt.MapClaims) { delete(c, "sid") })), token.ErrInvalid},
		"no end":                    {sign(t, jwt.SigningMethodEdDSA, key.Private, key.ID, claims(func(c jwt.MapClaims) { delete(c, "exp") })), token.ErrInvalid},
		"no beginning":              {sign(t, jwt.SigningMethodEdDSA, key.Private, key.ID, claims(func(c jwt.MapClaims) { delete(c, "iat") })), token.ErrInvalid},
		"from tomorrow":             {sign(t, jwt.SigningMethodEdDSA, key.Private, key.ID, claims(func(c jwt.MapClaims) { c["iat"] = start.Add(time.Hour).Unix() })), token.ErrInvalid},
		"an unsafe user":            {sign(t, jwt.SigningMethodEdDSA, key.Private, key.ID, claims(func(c jwt.MapClaims) { c["sub"] = "a.>" })), token.ErrInvalid},
		"no key id":                 {sign(t, jwt.SigningMethodEdDSA, key.Private, nil, good), token.ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := verifier.Verify(c.raw); !errors.Is(err, c.want) {
				t.Fatalf("got %+v, %v; want %v", got, err, c.want)
			}
		})
	}
	if _, err := verifier.Verify(sign(t, jwt.SigningMethodEdDSA, key.Private, key.ID, good)); err != nil {
		t.Fatalf("the same, unchanged, is refused: %v", err)
	}
}

func TestSetKeys_refuses_a_bad_set(t *testing.T) {
	_, signer, verifier, _ := setup(t)
	bad := contract.JWKS{Keys: []contract.JWK{{Kty: "RSA", Kid: "x"}}}
	if err := verifier.SetKeys(bad); err == nil {
		t.Fatal("taken")
	}
	raw, _, err := signer.Sign("u1", "s1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := verifier.Verify(raw); err != nil {
		t.Fatalf("the set before is gone: %v", err)
	}
}

func BenchmarkVerify(b *testing.B) {
	_, signer, verifier, _ := setup(b)
	raw, _, err := signer.Sign("u1", "s1")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := verifier.Verify(raw); err != nil {
			b.Fatal(err)
		}
	}
}

func sign(t *testing.T, method jwt.SigningMethod, key any, kid any, claims jwt.MapClaims) string {
	t.Helper()
	tok := jwt.NewWithClaims(method, claims)
	if kid != nil {
		tok.Header["kid"] = kid
	}
	raw, err := tok.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// tamper makes the token another user's and keeps the signature.
func tamper(raw string) string {
	parts := strings.Split(raw, ".")
	return parts[0] + "." + parts[1][:len(parts[1])-4] + "AAAA." + parts[2]
}
