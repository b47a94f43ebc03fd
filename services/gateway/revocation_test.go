package gateway

import (
	"context"
	"log/slog"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/clock/clocktest"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/rpc"
)

// TestRevocationFeed_reads_pages: all of them before it is ready, and later only
// what is new.
func TestRevocationFeed_reads_pages(t *testing.T) {
	w := newWorld(t, nil)
	end := func(n int) {
		w.mu.Lock()
		defer w.mu.Unlock()
		for range n {
			w.revoked = append(w.revoked, contract.RevokedSession{SessionID: "s" + strconv.Itoa(len(w.revoked)), Until: contract.NewTime(time.Now().Add(time.Hour))})
		}
	}
	revoked := newRevocations(time.Now)
	var heard int
	revoked.OnRevoked(func(string) { heard++ })
	feed := newRevocationFeed(w.nc, rpc.NewClient(w.nc, rpc.ClientOptions{}), revoked, revoked.now, time.Hour, slog.New(slog.DiscardHandler))
	read := func(want int) {
		t.Helper()
		if err := feed.read(t.Context()); err != nil {
			t.Fatal(err)
		}
		if heard != want {
			t.Fatalf("%d ended sessions are known, want %d", heard, want)
		}
		if err := revoked.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if revoked.Ready(t.Context()) == nil {
		t.Fatal("it is ready before it has read")
	}
	end(2*revokedPage + 1)
	read(2*revokedPage + 1)
	end(1)
	if feed.cursor != "7" {
		t.Fatalf("it reads on from %q", feed.cursor)
	}
	read(2*revokedPage + 2)

	feed.cursor = "strange"
	if err := feed.read(t.Context()); err == nil {
		t.Fatal("no error")
	}
	read(2*revokedPage + 2)
}

// TestRevocationFeed_reads_again_when_the_clock_was_set: an ended session that was
// forgotten by a clock that was ahead is known again.
func TestRevocationFeed_reads_again_when_the_clock_was_set(t *testing.T) {
	w := newWorld(t, nil)
	w.mu.Lock()
	w.revoked = []contract.RevokedSession{{SessionID: "s", Until: contract.NewTime(time.Now().Add(10 * time.Minute))}}
	w.mu.Unlock()
	var ahead atomic.Int64
	ahead.Store(int64(time.Hour))
	revoked := newRevocations(func() time.Time { return clocktest.Set(time.Now(), time.Duration(ahead.Load())) })
	feed := newRevocationFeed(w.nc, rpc.NewClient(w.nc, rpc.ClientOptions{}), revoked, revoked.now, time.Hour, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- feed.Run(ctx) }() // ended by cancel, joined below
	eventually(t, "the list to be read", func() bool { _, known := revoked.Revoked("s"); return known })
	if gone, _ := revoked.Revoked("s"); gone {
		t.Fatal("its tokens have run out, by the clock")
	}
	ahead.Store(0)
	eventually(t, "the session to be known again", func() bool { gone, _ := revoked.Revoked("s"); return gone })
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestConn_silence_is_no_matter_of_the_time_of_day: when the machine's clock is
// set, nobody becomes silent, and nobody who is passes for alive.
func TestConn_silence_is_no_matter_of_the_time_of_day(t *testing.T) {
	const day, heartbeat = 24 * time.Hour, 25 * time.Second
	for _, forward := range []time.Duration{day, -day} {
		var c conn
		now := time.Now()
		c.hear(now)
		if c.silent(clocktest.Set(now.Add(time.Second), forward), heartbeat) {
			t.Errorf("set by %s: silent after a second", forward)
		}
		if !c.silent(clocktest.Set(now.Add(time.Minute), forward), heartbeat) {
			t.Errorf("set by %s: alive after a minute", forward)
		}
	}
}
