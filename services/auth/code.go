package auth

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/parley-im/parley/pkg/contract"
)

const (
	// codeTTL is how long a code counts.
	codeTTL = 10 * time.Minute
	// codeTries is how often a code may be guessed at.
	codeTries = 5
)

// codes keeps verification codes in Redis, as HMACs under names that are
// HMACs too. An e-mail has one code a purpose; a new one replaces it.
type codes struct {
	redis redis.Scripter
	key   []byte // of the HMACs of codes
	name  func(kind string, parts ...string) string
	put   *redis.Script
	spend *redis.Script
}

const putScript = `
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'mac', ARGV[1], 'tries', 0)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`

// spendScript counts a try, compares, and forgets the code when it was right
// or the tries are used up.
const spendScript = `
local mac = redis.call('HGET', KEYS[1], 'mac')
if not mac then return 0 end
local tries = redis.call('HINCRBY', KEYS[1], 'tries', 1)
local right = mac == ARGV[1]
if right or tries >= tonumber(ARGV[2]) then redis.call('DEL', KEYS[1]) end
return right and 1 or 0`

func newCodes(client redis.Scripter, key []byte, name func(kind string, parts ...string) string) *codes {
	return &codes{
		redis: client, key: key, name: name,
		put: redis.NewScript(putScript), spend: redis.NewScript(spendScript),
	}
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
	_, err = script(ctx, c.put, c.redis, []string{c.where(email, purpose)}, c.mac(email, purpose, kept), codeTTL.Milliseconds())
	return code, err
}

// Spend reports whether the code was right, and then it counts no more. A
// wrong one uses up a try.
func (c *codes) Spend(ctx context.Context, email string, purpose contract.Purpose, code string) (bool, error) {
	right, err := script(ctx, c.spend, c.redis, []string{c.where(email, purpose)}, c.mac(email, purpose, code), codeTries)
	return right == 1, err
}

func (c *codes) where(email string, purpose contract.Purpose) string {
	return c.name("code", string(purpose), email)
}

func (c *codes) mac(email string, purpose contract.Purpose, code string) string {
	return mac(c.key, string(purpose), email, code)
}
