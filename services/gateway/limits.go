package gateway

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/url"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/trust"
)

// redisWait bounds one question to Redis: an answer that comes later is worth
// less than the call that waits for it.
const redisWait = 200 * time.Millisecond

// bucket is a limit by its name: how many calls a second pass on average, and
// how many at once.
type bucket struct {
	name  string
	rate  float64 // tokens a second
	burst int     // tokens of a full bucket
	// block is how many tokens a gateway takes from Redis at once, to spend
	// them without asking again; 0 means that each call asks.
	block int
	// required buckets refuse while Redis is away; others let pass.
	required bool
	what     string // of which there are too many, for who is refused; empty: requests
}

// local is the bucket with a block that suits its size: of 400 tokens 20, so
// that what two gateways hold back from each other stays small.
func (b bucket) local() bucket {
	b.block = max(1, min(b.burst/20, 50))
	return b
}

// buckets are the limits of a gateway.
type buckets struct {
	sends   bucket // per user: messages
	calls   bucket // per user: everything else
	opens   bucket // per address: calls without authentication
	guesses bucket // per address: calls that try a secret or send mail

	// Per user, besides calls: what costs others something.
	searches bucket // by account
	friends  bucket // added
	groups   bucket // created
	joins    bucket // members put into groups
}

func (l Limits) buckets() buckets {
	return buckets{
		sends:   bucket{name: "send", rate: l.SendsPerSecond, burst: l.SendBurst}.local(),
		calls:   bucket{name: "call", rate: l.CallsPerSecond, burst: l.CallBurst}.local(),
		opens:   bucket{name: "open", rate: l.OpensPerMinute / 60, burst: l.OpenBurst},
		guesses: bucket{name: "guess", rate: l.GuessesPerMin / 60, burst: l.GuessBurst, required: true},

		searches: bucket{name: "search", rate: l.SearchesPerMin / 60, burst: l.SearchBurst, what: "searches"},
		friends:  bucket{name: "friend", rate: l.FriendsPerMin / 60, burst: l.FriendBurst, what: "new friends"},
		groups:   bucket{name: "group", rate: l.GroupsPerMin / 60, burst: l.GroupBurst, what: "new groups"},
		joins:    bucket{name: "join", rate: l.JoinsPerMin / 60, burst: l.JoinBurst, what: "new members"},
	}
}

// all lists them.
func (b buckets) all() []bucket {
	return []bucket{b.sends, b.calls, b.opens, b.guesses, b.searches, b.friends, b.groups, b.joins}
}

// takeScript is GCRA (generic cell rate algorithm), the token bucket that needs one
// value a key: the time at which the bucket will be full again. It takes as
// many of the wanted tokens as there are, or none if these are fewer than the
// least, and tells how long these take then. The clock is that of Redis, the same for all gateways.
//
// KEYS[1]; ARGV: microseconds a token, tokens of a full bucket, tokens wanted,
// the least of them. Returns {taken, microseconds until there is the least}.
const takeScript = `
local per, burst, want, least = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local left = math.floor((now + per * burst - full) / per)
if left < least then
  return {0, math.ceil(full + per * least - per * burst - now)}
end
local taken = math.min(want, left)
full = full + taken * per
redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000))
return {taken, 0}
`

// limiter counts calls in Redis, together with all other gateways.
type limiter struct {
	redis   *redis.Client
	take    *redis.Script
	breaker *breaker
	leases  *leases
	metrics *limitMetrics
	log     *slog.Logger
}

func newLimiter(client *redis.Client, metrics *limitMetrics, log *slog.Logger) *limiter {
	return &limiter{
		redis:   client,
		take:    redis.NewScript(takeScript),
		breaker: newBreaker(time.Now),
		leases:  newLeases(time.Now),
		metrics: metrics,
		log:     log,
	}
}

// openRedis returns a client that gives up soon and never retries: the
// breaker decides what a dead Redis means. A CA file demands TLS.
func openRedis(rawURL, caFile string) (*redis.Client, error) {
	options, err := redis.ParseURL(rawURL)
	if err != nil {
		var withURL *url.Error // it would show the password
		if errors.As(err, &withURL) {
			err = withURL.Err
		}
		return nil, fmt.Errorf("GATEWAY_REDIS_URL: %w", err)
	}
	if caFile != "" {
		if options.TLSConfig == nil {
			return nil, errors.New("REDIS_CA_FILE is set, but REDIS_URL does not begin with rediss://")
		}
		if options.TLSConfig.RootCAs, err = trust.Roots(caFile); err != nil {
			return nil, fmt.Errorf("REDIS_CA_FILE: %w", err)
		}
	}
	options.ClientName = "parley-gateway"
	options.MaxRetries = -1
	options.DialerRetries = 1
	options.DialTimeout = redisWait
	options.ReadTimeout = redisWait
	options.WriteTimeout = redisWait
	options.PoolTimeout = redisWait
	options.ContextTimeoutEnabled = true
	return redis.NewClient(options), nil
}

// Allow takes one token of the key's bucket. It returns ResourceExhausted with
// RetryAfter when there is none, and, for a bucket that is required,
// Unavailable when Redis can't be asked. It is safe for use by many
// goroutines.
func (l *limiter) Allow(ctx context.Context, b bucket, key string) error {
	if b.block == 0 {
		return l.AllowAll(ctx, b, key, 1)
	}
	taken, wait, err := l.leases.of(b.name, key).spend(func() (int, time.Duration, error) {
		return l.ask(ctx, b, key, b.block, 1)
	})
	return l.decide(b, taken, wait, err)
}

// AllowAll is Allow for n tokens, all of them or none. More than a full bucket
// has count as these.
func (l *limiter) AllowAll(ctx context.Context, b bucket, key string, n int) error {
	n = min(n, b.burst)
	if n < 1 {
		return nil
	}
	taken, wait, err := l.ask(ctx, b, key, n, n)
	return l.decide(b, taken, wait, err)
}

// decide makes an answer of what Redis said, or did not.
func (l *limiter) decide(b bucket, taken int, wait time.Duration, err error) error {
	switch {
	case err != nil && b.required:
		return fault.New(fault.Unavailable, "limits can't be checked right now").After(retryHint).Because(err)
	case err != nil:
		l.metrics.unchecked.WithLabelValues(b.name).Inc()
		return nil //nolint:nilerr // without Redis users go on
	case taken == 0:
		l.metrics.refused.WithLabelValues(b.name).Inc()
		what := cmp.Or(b.what, "requests")
		return fault.Newf(fault.ResourceExhausted, "too many %s; wait a moment", what).After(max(wait, time.Millisecond))
	}
	return nil
}

// errRedisAway is what ask returns while the breaker is open.
var errRedisAway = errors.New("redis is away")

// ask has Redis take up to want tokens, or none if there are fewer than least.
func (l *limiter) ask(ctx context.Context, b bucket, key string, want, least int) (int, time.Duration, error) {
	if !l.breaker.allows() {
		return 0, 0, errRedisAway
	}
	asking, cancel := context.WithTimeout(ctx, redisWait)
	defer cancel()
	per := math.Max(1, math.Round(1e6/b.rate))
	reply, err := l.take.Run(asking, l.redis, []string{limitKey(b.name, key)}, per, b.burst, want, least).Int64Slice()
	if err == nil && len(reply) != 2 {
		err = fmt.Errorf("redis replied %d values", len(reply))
	}
	if err != nil && ctx.Err() != nil {
		l.breaker.unknown()
		return 0, 0, ctx.Err() // the caller left: that says nothing about Redis
	}
	l.saw(ctx, err)
	if err != nil {
		return 0, 0, fmt.Errorf("take from bucket %s: %w", b.name, err)
	}
	return int(reply[0]), time.Duration(reply[1]) * time.Microsecond, nil
}

// saw notes what came of a question to Redis.
func (l *limiter) saw(ctx context.Context, err error) {
	if changed := l.breaker.saw(err == nil); !changed {
		return
	}
	l.metrics.away.Set(boolFloat(err != nil))
	if err != nil {
		l.log.WarnContext(ctx, "limits are not checked: redis does not answer", slog.Any("error", err))
	} else {
		l.log.InfoContext(ctx, "limits are checked again")
	}
}

// Reachable is the check "redis". It asks as calls do, so that an idle gateway
// notices, too, that Redis went away or is back.
func (l *limiter) Reachable(ctx context.Context) error {
	if !l.breaker.allows() {
		return errRedisAway
	}
	asking, cancel := context.WithTimeout(ctx, redisWait)
	defer cancel()
	err := l.redis.Ping(asking).Err()
	if err != nil && ctx.Err() != nil {
		l.breaker.unknown()
		return ctx.Err() // whoever asked left
	}
	l.saw(ctx, err)
	if err != nil {
		return errRedisAway // the log has why, which may be an address
	}
	return nil
}

// limitKey names a bucket in Redis without telling whose it is.
func limitKey(bucket, key string) string {
	sum := sha256.Sum256([]byte(key))
	return "gateway:limit:" + bucket + ":" + hex.EncodeToString(sum[:16])
}

func boolFloat(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
