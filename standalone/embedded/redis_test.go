package embedded

import (
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

func TestRedis(t *testing.T) {
	srv := startRedis(t)
	client := redisClient(t, srv.URL())

	t.Run("time passes", func(t *testing.T) {
		const life = 300 * time.Millisecond
		begin := time.Now()
		if err := client.Set(t.Context(), "code", "1", life).Err(); err != nil {
			t.Fatal(err)
		}
		for {
			err := client.Get(t.Context(), "code").Err()
			if errors.Is(err, redis.Nil) {
				break
			}
			if err != nil || time.Since(begin) > 10*time.Second {
				t.Fatalf("after %v: %v", time.Since(begin), err)
			}
			time.Sleep(5 * time.Millisecond)
		}
		if lived := time.Since(begin); lived < life-redisTick {
			t.Errorf("expired after %v, want %v", lived, life)
		}
	})
	t.Run("scripts run", func(t *testing.T) {
		n, err := client.Eval(t.Context(), `return redis.call('INCRBY', KEYS[1], ARGV[1])`, []string{"n"}, 3).Int()
		if err != nil || n != 3 {
			t.Errorf("%d, %v", n, err)
		}
	})
	t.Run("a password is needed", func(t *testing.T) {
		for _, password := range []string{"", "wrong"} {
			stranger := redisClient(t, RedisURL(srv.Addr(), password))
			if err := stranger.Ping(t.Context()).Err(); err == nil {
				t.Errorf("password %q was accepted", password)
			}
		}
	})
	t.Run("a taken port is refused", func(t *testing.T) {
		if second, err := StartRedis(RedisConfig{Addr: srv.Addr(), Password: "x"}); err == nil {
			second.Stop()
			t.Error("started")
		}
	})
}

func startRedis(t *testing.T) *Redis {
	t.Helper()
	srv, err := StartRedis(RedisConfig{Addr: "127.0.0.1:0", Password: "p@ss:word/"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(srv.Stop)
	return srv
}

func redisClient(t *testing.T, url string) *redis.Client {
	t.Helper()
	opts, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(opts)
	t.Cleanup(func() { _ = client.Close() })
	return client
}
