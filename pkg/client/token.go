package client

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
)

// Token is an access token.
type Token struct {
	Access string
	// ExpiresAt is when it runs out. The zero time: what the token itself says.
	ExpiresAt time.Time
}

// TokenSource gives access tokens. It is asked at the first connect, before
// the current token runs out, and when a gateway refuses it.
type TokenSource interface {
	// Token returns a token other than old, which is running out or was
	// refused; old is empty at the first time. An error that is a fault of the
	// code Unauthenticated ends the client: the session is over. After others
	// it is asked again.
	Token(ctx context.Context, old string) (Token, error)
}

// expiry is when the token runs out; the zero time if that is not known. The
// signature is the gateway's to check: a client without the key reads the time
// only to renew in time.
func (t Token) expiry() time.Time {
	if !t.ExpiresAt.IsZero() {
		return t.ExpiresAt
	}
	parts := strings.Split(t.Access, ".")
	if len(parts) != 3 {
		return time.Time{}
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return time.Time{}
	}
	var claims struct {
		Exp int64 `json:"exp"`
	}
	if json.Unmarshal(payload, &claims) != nil || claims.Exp <= 0 {
		return time.Time{}
	}
	return time.Unix(claims.Exp, 0)
}

// tokens remembers the token in use, so that a source is asked only for
// another one.
type tokens struct {
	source  TokenSource
	current Token
	stale   bool // running out, or refused
}

// get returns the token in use, or a new one when it is stale.
func (t *tokens) get(ctx context.Context) (Token, error) {
	if t.current.Access != "" && !t.stale {
		return t.current, nil
	}
	return t.renew(ctx)
}

// renew returns a token other than the one in use.
func (t *tokens) renew(ctx context.Context) (Token, error) {
	fresh, err := t.source.Token(ctx, t.current.Access)
	if err != nil {
		return Token{}, err
	}
	t.current, t.stale = fresh, false
	return fresh, nil
}
