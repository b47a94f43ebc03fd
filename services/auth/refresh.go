package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"

	"github.com/parley-im/parley/pkg/contract"
)

// Hash is the SHA-256 of one secret part of a refresh token. The parts are
// random, so that it needs no salt and no key.
type Hash [sha256.Size]byte

// partSize is the bytes of each secret part: 192 bits.
const partSize = 24

// refreshToken is <session id>.<family>.<rotating>. The family proves that
// the token was given out for this session at all: only then a rotating part
// that is not the newest tells of a theft, and not just of a guess.
type refreshToken struct {
	SessionID        string
	Family, Rotating string // base64url
}

// newPart makes one secret part.
func newPart() string {
	part := make([]byte, partSize)
	rand.Read(part)
	return base64.RawURLEncoding.EncodeToString(part)
}

func (t refreshToken) String() string { return t.SessionID + "." + t.Family + "." + t.Rotating }

// parseRefresh reads a token that has the form of one.
func parseRefresh(raw string) (t refreshToken, ok bool) {
	parts := strings.Split(raw, ".")
	if len(parts) != 3 || !contract.ValidID(parts[0]) || !isPart(parts[1]) || !isPart(parts[2]) {
		return refreshToken{}, false
	}
	return refreshToken{SessionID: parts[0], Family: parts[1], Rotating: parts[2]}, true
}

func isPart(s string) bool {
	part, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return err == nil && len(part) == partSize
}

// hashPart is what is stored of a part.
func hashPart(part string) Hash { return sha256.Sum256([]byte(part)) }

// is compares without telling by time how much is right.
func (h Hash) is(part string) bool {
	other := hashPart(part)
	return subtle.ConstantTimeCompare(h[:], other[:]) == 1
}
