package auth

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	"time"

	"github.com/parley-im/parley/pkg/contract"
)

const (
	// codeTTL is how long a code counts.
	codeTTL = 10 * time.Minute
	// codeTries is how often a code may be guessed at.
	codeTries = 5
)

// codeStore keeps the HMACs of codes under names; Unavailable when it can't.
type codeStore interface {
	PutCode(ctx context.Context, name, mac string, ttl time.Duration) error
	SpendCode(ctx context.Context, name, mac string, tries int) (right bool, err error)
}

// codes makes and checks verification codes. An e-mail has one code a
// purpose; a new one replaces it.
type codes struct {
	store codeStore
	names []byte // key of the hashes that stand for e-mails
	key   []byte // of the HMACs of codes
}

// Issue makes a code for an e-mail. Unless known is true nobody will ever
// learn it, which takes the same steps.
func (c *codes) Issue(ctx context.Context, email string, purpose contract.Purpose, known bool) (string, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return "", fmt.Errorf("make code: %w", err)
	}
	code := fmt.Sprintf("%06d", n)
	kept := code
	if !known {
		kept = rand.Text() // no six digits match it
	}
	return code, c.store.PutCode(ctx, c.name(email, purpose), c.mac(email, purpose, kept), codeTTL)
}

// Spend reports whether the code was right, and then it counts no more. A
// wrong one uses up a try.
func (c *codes) Spend(ctx context.Context, email string, purpose contract.Purpose, code string) (bool, error) {
	return c.store.SpendCode(ctx, c.name(email, purpose), c.mac(email, purpose, code), codeTries)
}

func (c *codes) name(email string, purpose contract.Purpose) string {
	return "code:" + mac(c.names, "code", string(purpose), email)
}

func (c *codes) mac(email string, purpose contract.Purpose, code string) string {
	return mac(c.key, string(purpose), email, code)
}
