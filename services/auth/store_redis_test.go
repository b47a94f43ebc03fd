package auth

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// slots notes the slots of a cluster that commands touch.
type slots struct {
	several atomic.Int64
	seen    [16384]atomic.Bool
}

func (s *slots) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		args := cmd.Args()
		if len(args) > 3 && (args[0] == "evalsha" || args[0] == "eval") {
			if args[2] != 1 {
				s.several.Add(1)
			}
			s.seen[crc16(fmt.Sprint(args[3]))%16384].Store(true)
		}
		return next(ctx, cmd)
	}
}

func (s *slots) DialHook(next redis.DialHook) redis.DialHook { return next }

func (s *slots) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// crc16 is that of the Redis Cluster specification (XMODEM), of a key without a
// hash tag: https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/
func crc16(key string) (crc uint16) {
	for _, b := range []byte(key) {
		crc ^= uint16(b) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
	}
	return crc
}

// TestRedisStore_spreads_over_the_slots_of_a_cluster, and no script touches two.
func TestRedisStore_spreads_over_the_slots_of_a_cluster(t *testing.T) {
	if got := crc16("123456789"); got != 0x31C3 {
		t.Fatalf("crc16 is %x", got)
	}
	store, err := openRedis("redis://"+miniredis.RunT(t).Addr(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	seen := &slots{}
	store.client.AddHook(seen)
	for i := range 200 {
		rules := []rule{{name: fmt.Sprint("address:", i), most: 1, every: time.Hour}, {name: fmt.Sprint("email:", i), most: 2, every: time.Hour}}
		if wait, err := store.Take(t.Context(), rules); err != nil || wait != 0 {
			t.Fatal(wait, err)
		}
		if err := store.PutCode(t.Context(), fmt.Sprint("code:", i), "mac", time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	used := 0
	for i := range seen.seen {
		if seen.seen[i].Load() {
			used++
		}
	}
	if several := seen.several.Load(); several != 0 || used < 500 {
		t.Errorf("600 keys are in %d slots; %d commands touch several", used, several)
	}
}

// TestRedisStore_Take_counts_under_all_rules_or_none.
func TestRedisStore_Take_counts_under_all_rules_or_none(t *testing.T) {
	store, err := openRedis("redis://"+miniredis.RunT(t).Addr(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	wide, narrow := rule{name: "wide", most: 2, every: time.Hour}, rule{name: "narrow", most: 1, every: time.Minute}
	take := func(rules ...rule) time.Duration {
		t.Helper()
		wait, err := store.Take(t.Context(), rules)
		if err != nil {
			t.Fatal(err)
		}
		return wait
	}
	if wait := take(wide, narrow); wait != 0 {
		t.Fatalf("the first waits %v", wait)
	}
	for range 3 {
		if wait := take(wide, narrow); wait <= 0 || wait > time.Minute {
			t.Fatalf("the narrow rule says %v", wait)
		}
	}
	if wait := take(wide); wait != 0 {
		t.Errorf("refused acts were counted: %v", wait)
	}
	if wait := take(narrow, wide); wait < time.Minute {
		t.Errorf("of two rules the longer wait counts, not %v", wait)
	}
}
