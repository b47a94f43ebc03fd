package auth

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/trust"
)

// redisWait bounds one step of a question to Redis.
const redisWait = time.Second

// takeScript counts an act, or returns how many milliseconds to wait.
const takeScript = `
if tonumber(redis.call('GET', KEYS[1]) or '0') >= tonumber(ARGV[1]) then
	return math.max(redis.call('PTTL', KEYS[1]), 1)
end
if redis.call('INCR', KEYS[1]) == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0`

const giveBackScript = `
if tonumber(redis.call('GET', KEYS[1]) or '0') > 0 then redis.call('DECR', KEYS[1]) end
return 0`

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

// redisStore keeps what all replicas count together, and codes, each in one
// script that nothing comes between.
type redisStore struct {
	client                     *redis.Client
	take, giveBack, put, spend *redis.Script
}

// openRedis connects when it is first used. It never retries: a script whose
// answer was lost may have counted. A CA file demands TLS.
func openRedis(url, caFile string) (*redisStore, error) {
	o, err := redis.ParseURL(url)
	if err != nil {
		return nil, errors.New("REDIS_URL must be redis://user:password@host:port/db, or rediss://") // its text has the password
	}
	if caFile != "" {
		if o.TLSConfig == nil {
			return nil, errors.New("REDIS_CA_FILE is set, but REDIS_URL does not begin with rediss://")
		}
		if o.TLSConfig.RootCAs, err = trust.Roots(caFile); err != nil {
			return nil, fmt.Errorf("REDIS_CA_FILE: %w", err)
		}
	}
	o.MaxRetries = -1
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = redisWait, redisWait, redisWait, redisWait
	o.ContextTimeoutEnabled = true
	return &redisStore{
		client: redis.NewClient(o),
		take:   redis.NewScript(takeScript), giveBack: redis.NewScript(giveBackScript),
		put: redis.NewScript(putScript), spend: redis.NewScript(spendScript),
	}, nil
}

func (s *redisStore) Ping(ctx context.Context) error { return s.client.Ping(ctx).Err() }

func (s *redisStore) Close() error { return s.client.Close() }

// Take counts an act under all rules, or under none: then it returns how long to
// wait. Each rule has a key in a slot of its own, so that they are asked one after
// the other; a process that dies meanwhile leaves an act counted.
func (s *redisStore) Take(ctx context.Context, rules []rule) (wait time.Duration, err error) {
	var taken []rule
	for _, r := range rules {
		ms, err := s.run(ctx, s.take, r.name, r.most, strconv.FormatInt(r.every.Milliseconds(), 10))
		if err != nil {
			return 0, err
		}
		if ms == 0 {
			taken = append(taken, r)
		}
		wait = max(wait, time.Duration(ms)*time.Millisecond)
	}
	if wait > 0 {
		return wait, s.GiveBack(ctx, taken)
	}
	return 0, nil
}

// GiveBack takes one act out of the rules' counts.
func (s *redisStore) GiveBack(ctx context.Context, rules []rule) error {
	for _, r := range rules {
		if _, err := s.run(ctx, s.giveBack, r.name); err != nil {
			return err
		}
	}
	return nil
}

// Has reports whether a mark stands.
func (s *redisStore) Has(ctx context.Context, name string) (bool, error) {
	n, err := s.client.Exists(ctx, keyPrefix+name).Result()
	return n > 0, redisErr(ctx, err)
}

// Mark sets a mark, for ttl from now on.
func (s *redisStore) Mark(ctx context.Context, name string, ttl time.Duration) error {
	return redisErr(ctx, s.client.Set(ctx, keyPrefix+name, 1, ttl).Err())
}

// PutCode keeps a code's HMAC for ttl, with no try used.
func (s *redisStore) PutCode(ctx context.Context, name, mac string, ttl time.Duration) error {
	_, err := s.run(ctx, s.put, name, mac, ttl.Milliseconds())
	return err
}

// SpendCode uses up a try, of which there are so many, and with the right one
// the code.
func (s *redisStore) SpendCode(ctx context.Context, name, mac string, tries int) (bool, error) {
	right, err := s.run(ctx, s.spend, name, mac, tries)
	return right == 1, err
}

// keyPrefix has no hash tag: the keys spread over the slots of a cluster, and each
// script touches one.
const keyPrefix = "parley:auth:"

// run runs a script that answers one number; Unavailable when it could not.
func (s *redisStore) run(ctx context.Context, script *redis.Script, name string, args ...any) (int64, error) {
	n, err := script.Run(ctx, s.client, []string{keyPrefix + name}, args...).Int64()
	if err != nil {
		return 0, redisErr(ctx, err)
	}
	return n, nil
}

// redisErr is Unavailable, or that the caller has left; nil for nil.
func redisErr(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("ask Redis: %w", ctx.Err())
	default:
		return fault.New(fault.Unavailable, "not possible right now").After(redisWait).Because(fmt.Errorf("ask Redis: %w", err))
	}
}
