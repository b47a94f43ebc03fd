package gateway

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/token"
)

// maxTokenLength is far above any token that auth signs, in bytes.
const maxTokenLength = 4096

// authentication tells whose a token is. It answers from memory: keys and
// ended sessions are kept in step with auth.
type authentication struct {
	keys    *keys
	revoked *revocations
}

// authenticate checks an access token: signed by auth, not expired, of a
// session that has not ended. The error is errRevoked for the last of these,
// another Unauthenticated for a bad token, and Unavailable while keys or
// ended sessions are not known.
func (a *authentication) authenticate(raw string) (token.Claims, error) {
	claims, err := a.keys.verify(raw)
	if err != nil {
		return token.Claims{}, err
	}
	ended, known := a.revoked.Revoked(claims.SessionID)
	switch {
	case !known:
		return token.Claims{}, errNotReady
	case ended:
		return token.Claims{}, errRevoked
	}
	return claims, nil
}

// await waits until tokens can be checked, for most at the longest, and reports
// whether they can.
func (a *authentication) await(ctx context.Context, most time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for a.keys.Ready(ctx) != nil || a.revoked.Ready(ctx) != nil {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// errNotReady refuses tokens before this gateway can judge them.
var errNotReady = fault.New(fault.Unavailable, "tokens can't be checked yet").After(retryHint)

// tokenFault says what is wrong with a token without repeating any of it.
func tokenFault(err error) error {
	if errors.Is(err, token.ErrExpired) {
		return fault.New(fault.Unauthenticated, "the access token has expired").Because(err)
	}
	return fault.New(fault.Unauthenticated, "the access token is not valid").Because(err)
}

// parseBearer reads the values of the Authorization header (RFC 6750): one,
// "Bearer" and a token. It reports false when there is no header at all.
func parseBearer(values []string) (raw string, present bool, err error) {
	if len(values) == 0 {
		return "", false, nil
	}
	scheme, raw, found := strings.Cut(values[0], " ")
	if len(values) > 1 || !found || !strings.EqualFold(scheme, "Bearer") || !isToken(raw) {
		return "", true, fault.New(fault.Unauthenticated, "the Authorization header is not \"Bearer\" and a token")
	}
	return raw, true, nil
}

// isToken reports whether s is a b64token of RFC 6750, not too long.
func isToken(s string) bool {
	body := strings.TrimRight(s, "=")
	if body == "" || len(s) > maxTokenLength {
		return false
	}
	for i := range len(body) {
		switch c := body[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~+/", c) >= 0:
		default:
			return false
		}
	}
	return true
}

// errNoToken refuses a call that needs a token and has none.
var errNoToken = fault.New(fault.Unauthenticated, "an access token is needed")
