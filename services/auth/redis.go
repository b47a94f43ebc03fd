package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/parley-im/parley/pkg/fault"
)

// redisWait bounds one step of a question to Redis.
const redisWait = time.Second

// openRedis returns a client that never retries: a script that ran, and whose
// answer was lost, has counted. It connects when it is first used.
func openRedis(url string) (*redis.Client, error) {
	o, err := redis.ParseURL(url)
	if err != nil {
		return nil, errors.New("REDIS_URL must be redis://user:password@host:port/db, or rediss://") // its text has the password
	}
	o.MaxRetries = -1
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = redisWait, redisWait, redisWait, redisWait
	o.ContextTimeoutEnabled = true
	return redis.NewClient(o), nil
}

// script runs a script that answers one number.
func script(ctx context.Context, s *redis.Script, client redis.Scripter, keys []string, args ...any) (int64, error) {
	n, err := s.Run(ctx, client, keys, args...).Int64()
	if err != nil {
		if ctx.Err() != nil {
			return 0, fmt.Errorf("ask Redis: %w", ctx.Err())
		}
		return 0, fault.New(fault.Unavailable, "not possible right now").After(redisWait).Because(fmt.Errorf("ask Redis: %w", err))
	}
	return n, nil
}
