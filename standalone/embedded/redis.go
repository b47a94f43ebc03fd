package embedded

import (
	"fmt"
	"net/url"
	"time"

	"github.com/alicebob/miniredis/v2"
)

const (
	// redisTick is how often keys age, and so how late one may expire: later
	// with very many keys, all of which miniredis looks at.
	redisTick = 100 * time.Millisecond
	// redisRest is for how many times as long as that takes nothing is done.
	redisRest = 100
)

// RedisConfig says how to run a Redis server.
type RedisConfig struct {
	Addr     string // host:port; port 0 takes a free one
	Password string
}

// Redis is a running Redis server that keeps everything in memory.
type Redis struct {
	server   *miniredis.Miniredis
	password string
	stop     chan struct{}
	stopped  chan struct{}
}

// StartRedis returns once the server accepts connections.
func StartRedis(cfg RedisConfig) (*Redis, error) {
	srv := miniredis.NewMiniRedis()
	srv.RequireAuth(cfg.Password)
	if err := srv.StartAddr(cfg.Addr); err != nil {
		return nil, fmt.Errorf("start Redis: %w", err)
	}
	r := &Redis{
		server:   srv,
		password: cfg.Password,
		stop:     make(chan struct{}),
		stopped:  make(chan struct{}),
	}
	go r.runClock() // owned by r, ended and awaited by Stop
	return r, nil
}

// runClock makes keys expire: miniredis was made for tests, and its time
// stands still. Its own ClockTTL walks over all keys on every command; this
// does so ten times a second, or as often as a hundredth of a processor allows.
func (r *Redis) runClock() {
	defer close(r.stopped)
	timer := time.NewTimer(redisTick)
	defer timer.Stop()
	last := time.Now()
	for {
		select {
		case <-r.stop:
			return
		case <-timer.C:
			now := time.Now()
			r.server.FastForward(now.Sub(last))
			last = now
			timer.Reset(max(redisTick, redisRest*time.Since(now)))
		}
	}
}

// URL is where clients connect, with the password, in the form of REDIS_URL.
func (r *Redis) URL() string { return RedisURL(r.Addr(), r.password) }

// Addr is the address that the server listens on.
func (r *Redis) Addr() string { return r.server.Addr() }

// Stop ends all connections and the clock.
func (r *Redis) Stop() {
	close(r.stop)
	<-r.stopped
	r.server.Close()
}

// RedisURL is the URL of a server at addr with that password.
func RedisURL(addr, password string) string {
	u := url.URL{Scheme: "redis", User: url.UserPassword("", password), Host: addr, Path: "/0"}
	return u.String()
}
