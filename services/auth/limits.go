package auth

import (
	"context"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/parley-im/parley/pkg/fault"
)

type limitOptions struct {
	codesPerMinute, codesPerHour, addressCodesPerHour int
	loginFailures, addressFailures                    int
}

// failureWindow is how long a wrong password or code counts.
const failureWindow = 15 * time.Minute

// rule allows a number of acts under one name, within a window that begins
// with the first.
type rule struct {
	name  string
	most  int
	every time.Duration
}

// limits counts acts in Redis, together with all other replicas. When Redis
// does not answer nothing is allowed.
type limits struct {
	redis    redis.Scripter
	names    []byte // key of the hashes that stand for e-mails and addresses
	o        limitOptions
	takes    *redis.Script
	giveBack *redis.Script
}

// takeScript counts an act under each of its names, or under none: then it
// answers how many milliseconds to wait.
const takeScript = `
local wait = 0
for i, key in ipairs(KEYS) do
	if tonumber(redis.call('GET', key) or '0') >= tonumber(ARGV[2*i-1]) then
		wait = math.max(wait, redis.call('PTTL', key), 1)
	end
end
if wait > 0 then return wait end
for i, key in ipairs(KEYS) do
	if redis.call('INCR', key) == 1 then redis.call('PEXPIRE', key, ARGV[2*i]) end
end
return 0`

const giveBackScript = `
for _, key in ipairs(KEYS) do
	if tonumber(redis.call('GET', key) or '0') > 0 then redis.call('DECR', key) end
end
return 0`

func newLimits(client redis.Scripter, names []byte, o limitOptions) *limits {
	return &limits{
		redis: client, names: names, o: o,
		takes: redis.NewScript(takeScript), giveBack: redis.NewScript(giveBackScript),
	}
}

// key names something in Redis without telling what; all of auth is in one
// slot of a cluster, since scripts touch several at once.
func (l *limits) key(kind string, parts ...string) string {
	return "parley:{auth}:" + kind + ":" + mac(l.names, append([]string{kind}, parts...)...)
}

// Code allows a code for an e-mail, asked for from an address.
func (l *limits) Code(ctx context.Context, email, address string) error {
	rules := []rule{
		{l.key("code-minute", email), l.o.codesPerMinute, time.Minute},
		{l.key("code-hour", email), l.o.codesPerHour, time.Hour},
	}
	if address != "" {
		rules = append(rules, rule{l.key("code-address", address), l.o.addressCodesPerHour, time.Hour})
	}
	return l.take(ctx, rules)
}

// Attempt counts a password or code that is about to be checked as if it were
// wrong, so that attempts at the same time can't exceed the limit. forgive
// takes that back. Without an account only the address counts.
func (l *limits) Attempt(ctx context.Context, account, address string) (forgive func(), err error) {
	var rules []rule
	if account != "" {
		rules = append(rules, rule{l.key("failures", account, address), l.o.loginFailures, failureWindow})
	}
	if address != "" {
		rules = append(rules, rule{l.key("failures-address", address), l.o.addressFailures, failureWindow})
	}
	if err := l.take(ctx, rules); err != nil {
		return nil, err
	}
	if len(rules) == 0 {
		return func() {}, nil
	}
	return func() {
		// Should it fail, one attempt too many has counted.
		_, _ = script(context.WithoutCancel(ctx), l.giveBack, l.redis, keysOf(rules))
	}, nil
}

func (l *limits) take(ctx context.Context, rules []rule) error {
	if len(rules) == 0 {
		return nil
	}
	var args []any
	for _, r := range rules {
		args = append(args, r.most, strconv.FormatInt(r.every.Milliseconds(), 10))
	}
	wait, err := script(ctx, l.takes, l.redis, keysOf(rules), args...)
	if err != nil {
		return err
	}
	if wait > 0 {
		return fault.New(fault.ResourceExhausted, "too many attempts; wait a while").After(time.Duration(wait) * time.Millisecond)
	}
	return nil
}

func keysOf(rules []rule) []string {
	keys := make([]string, len(rules))
	for i, r := range rules {
		keys[i] = r.name
	}
	return keys
}
