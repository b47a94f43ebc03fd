// Package id makes the identifiers of Parley. All of them are safe as a token
// of a NATS subject: [A-Za-z0-9_-], 1 to 64 characters.
package id

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"strings"

	"github.com/oklog/ulid/v2"
)

// New returns a fresh identifier: a ULID (https://github.com/ulid/spec) in
// lower case, 26 characters, of which the first ten count milliseconds, so
// that ids made later sort later, and 80 bits are random.
func New() string {
	return strings.ToLower(ulid.MustNew(ulid.Now(), rand.Reader).String())
}

// pairEncoding is Crockford's alphabet in lower case, as in a ULID.
var pairEncoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// Pair returns the identifier of two people's direct room, the same in either
// order: "d_" and the first 160 bits of SHA-256 over the sorted pair. The
// prefix keeps it apart from every id that New makes.
func Pair(a, b string) string {
	a, b = Sort(a, b)
	sum := sha256.Sum256([]byte(a + "\x00" + b))
	return "d_" + pairEncoding.EncodeToString(sum[:20])
}

// Sort returns the two in ascending order, as a pair's record stores them.
func Sort(a, b string) (low, high string) {
	if a > b {
		return b, a
	}
	return a, b
}

// IsPair reports whether the id is one that Pair makes: a direct room's.
func IsPair(v string) bool { return strings.HasPrefix(v, "d_") }
