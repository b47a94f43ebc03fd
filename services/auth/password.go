package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/crypto/argon2"
	"golang.org/x/sync/semaphore"
	"golang.org/x/text/unicode/norm"

	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/telemetry"
)

const (
	saltSize = 16
	hashSize = 32
)

// params are what argon2id costs.
type params struct {
	Memory  uint32 // KiB
	Time    uint32
	Threads uint8
}

type passwordOptions struct {
	params params
	atOnce int64
	wait   time.Duration
}

// passwords hashes with argon2id (RFC 9106), a bounded number at once: each
// takes its memory and one processor for some 20 ms.
type passwords struct {
	o     passwordOptions
	turns *semaphore.Weighted
	dummy string // the hash of no password
	waits prometheus.Observer
}

// newPasswords has waits told how many seconds each turn was waited for.
func newPasswords(o passwordOptions, waits prometheus.Observer) *passwords {
	p := &passwords{o: o, turns: semaphore.NewWeighted(o.atOnce), waits: waits}
	p.dummy = p.hash(rand.Text())
	return p
}

// turn waits until a password may be hashed, a bounded time; call done
// afterwards. Whoever holds a turn must not ask for another.
func (p *passwords) turn(ctx context.Context) (done func(), err error) {
	wait, cancel := context.WithTimeout(ctx, p.o.wait)
	defer cancel()
	began := time.Now()
	err = p.turns.Acquire(wait, 1)
	telemetry.Observe(p.waits, time.Since(began).Seconds(), trace.SpanContextFromContext(ctx))
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fault.New(fault.ResourceExhausted, "too many passwords are being checked").After(p.o.wait)
	}
	return func() { p.turns.Release(1) }, nil
}

// Hash returns a password in PHC form, with a fresh salt.
func (p *passwords) Hash(ctx context.Context, password string) (string, error) {
	done, err := p.turn(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	return p.hash(password), nil
}

// Verify compares a password with its hash. An empty hash, of a user who does
// not exist, matches none and takes as long.
func (p *passwords) Verify(ctx context.Context, password, phc string) (bool, error) {
	done, err := p.turn(ctx)
	if err != nil {
		return false, err
	}
	defer done()
	known := phc != ""
	if !known {
		phc = p.dummy
	}
	with, salt, want, err := parsePHC(phc)
	if err != nil {
		return false, err
	}
	is := func(password string) bool {
		got := argon2.IDKey([]byte(password), salt, with.Time, with.Memory, with.Threads, uint32(len(want)))
		return subtle.ConstantTimeCompare(got, want) == 1
	}
	normal := normalPassword(password)
	// Hashes of before passwords were normalised are of what was typed. For an
	// unknown user that takes as long.
	right := is(normal) || normal != password && is(password)
	return right && known, nil
}

// normalPassword is the one form of a password, whichever keyboard it is typed
// on: NFC, and each kind of space as a space (RFC 8265, OpaqueString; that also
// refuses characters, which would lock out those who have them).
func normalPassword(password string) string {
	return norm.NFC.String(strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Zs, r) {
			return ' '
		}
		return r
	}, password))
}

// Outdated reports whether the hash was made with other parameters.
func (p *passwords) Outdated(phc string) bool {
	with, _, _, err := parsePHC(phc)
	return err != nil || with != p.o.params
}

// hash needs a turn.
func (p *passwords) hash(password string) string {
	salt := make([]byte, saltSize)
	rand.Read(salt)
	with := p.o.params
	sum := argon2.IDKey([]byte(normalPassword(password)), salt, with.Time, with.Memory, with.Threads, hashSize)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, with.Memory, with.Time, with.Threads,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(sum))
}

// parsePHC reads what hash wrote
// (https://github.com/P-H-C/phc-string-format/blob/master/phc-sf-spec.md).
func parsePHC(phc string) (with params, salt, sum []byte, err error) {
	broken := func() (params, []byte, []byte, error) {
		return params{}, nil, nil, fmt.Errorf("stored password hash is not argon2id in PHC form")
	}
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return broken()
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &with.Memory, &with.Time, &with.Threads); err != nil || with.Time < 1 || with.Threads < 1 {
		return broken()
	}
	if salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil {
		return broken()
	}
	if sum, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil || len(sum) < 16 {
		return broken()
	}
	return with, salt, sum, nil
}
