package gateway

import (
	"log/slog"
	"strconv"
	"testing"
	"time"

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
	feed := newRevocationFeed(w.nc, rpc.NewClient(w.nc, rpc.ClientOptions{}), revoked, time.Hour, slog.New(slog.DiscardHandler))
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
