package faultystore_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/parley-im/parley/e2e/faults/faultystore"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/services/chat"
)

func open(t *testing.T, url string) chat.Store {
	t.Helper()
	s, err := chat.OpenStore(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func fresh(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "chat.db") }

func record(seq int64, clientID string) []chat.Record {
	return []chat.Record{{Message: contract.Message{
		ID: "id" + clientID, RoomID: "r", SenderID: "u", ClientID: clientID, Seq: seq, Type: contract.MessageText,
	}}}
}

// stored waits until so many messages are stored.
func stored(t *testing.T, s chat.Store, n int64) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		tails, err := s.Tails(t.Context(), []string{"r"})
		if err != nil || tails["r"] > n || time.Now().After(deadline) {
			t.Fatalf("%v stored, want %d; %v", tails, n, err)
		}
		if tails["r"] == n {
			return
		}
	}
}

// add inserts with a deadline that a real insert never needs.
func add(t *testing.T, s chat.Store, r []chat.Record, wait time.Duration) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), wait)
	defer cancel()
	_, err := s.Append(ctx, r)
	return err
}

func TestStore(t *testing.T) {
	inner := open(t, fresh(t))
	clock := &faultystore.Clock{}
	s := faultystore.New(inner, clock)
	server := httptest.NewServer(s)
	defer server.Close()
	order := func(o faultystore.Order) {
		t.Helper()
		if err := faultystore.Give(t.Context(), server.URL, o); err != nil {
			t.Fatal(err)
		}
	}
	if err := add(t, s, record(1, "a"), time.Minute); err != nil {
		t.Fatal(err)
	}
	order(faultystore.Order{Kind: faultystore.Fail, Count: 2})
	order(faultystore.Order{Kind: faultystore.Lose, Count: 1})
	order(faultystore.Order{Kind: faultystore.Stall, Count: 1, Delay: 50 * time.Millisecond})
	for range 2 {
		if err := add(t, s, record(2, "b"), time.Minute); err == nil {
			t.Fatal("not refused")
		}
	}
	stored(t, inner, 1)
	if err := add(t, s, record(2, "b"), time.Second); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v", err)
	}
	stored(t, inner, 2)
	if err := add(t, s, record(3, "c"), time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v", err)
	}
	stored(t, inner, 3)
	order(faultystore.Order{Kind: faultystore.ReadOnly, Count: 1})
	if err := add(t, s, record(4, "d"), time.Minute); !fault.Is(err, fault.Unavailable) {
		t.Fatalf("got %v", err)
	}
	order(faultystore.Order{Kind: faultystore.Jump, Delay: time.Hour})
	if ahead := clock.Now().Round(0).Sub(time.Now().Round(0)); ahead < 59*time.Minute || ahead > time.Hour {
		t.Fatalf("the clock is ahead by %v", ahead)
	}
	order(faultystore.Order{Kind: faultystore.Jump})
	after := clock.Now().Round(0)
	if behind := time.Now().Round(0).Sub(after); behind < 0 || behind > time.Minute {
		t.Fatalf("the clock is behind by %v", behind)
	}
	if err := add(t, s, record(4, "d"), time.Minute); err != nil {
		t.Fatal(err)
	}
}

// gated stores once its gate opens.
type gated struct {
	chat.Store
	gate chan struct{}
}

func (s *gated) Append(ctx context.Context, r []chat.Record) (int, error) {
	<-s.gate
	return s.Store.Append(ctx, r)
}

func TestAckFirst(t *testing.T) {
	url := fresh(t)
	inner := &gated{open(t, url), make(chan struct{})}
	s := faultystore.AckFirst(inner)
	if err := add(t, s, record(1, "a"), time.Minute); err != nil {
		t.Fatal(err)
	}
	stored(t, inner, 0) // acknowledged: a crash now would lose it
	close(inner.gate)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	stored(t, open(t, url), 1)
}

func TestDropUniqueKey(t *testing.T) {
	url := fresh(t)
	s := open(t, url)
	if err := add(t, s, record(1, "a"), time.Minute); err != nil {
		t.Fatal(err)
	}
	if err := add(t, s, record(2, "a"), time.Minute); !errors.Is(err, chat.ErrClientIDTaken) {
		t.Fatalf("got %v", err)
	}
	if err := faultystore.DropUniqueKey(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	if err := add(t, s, record(2, "a"), time.Minute); err != nil {
		t.Fatal(err)
	}
	stored(t, open(t, url), 2) // it opens, with the doubled message in it
}

// TestClock takes orders by itself where there is no chat store.
func TestClock(t *testing.T) {
	clock := &faultystore.Clock{}
	server := httptest.NewServer(clock)
	defer server.Close()
	if err := faultystore.Give(t.Context(), server.URL, faultystore.Order{Kind: faultystore.Jump, Delay: -time.Hour}); err != nil {
		t.Fatal(err)
	}
	if behind := time.Now().Round(0).Sub(clock.Now().Round(0)); behind < 59*time.Minute || behind > 61*time.Minute {
		t.Errorf("the clock is behind by %v", behind)
	}
	if err := faultystore.Give(t.Context(), server.URL, faultystore.Order{Kind: faultystore.Fail, Count: 1}); err == nil {
		t.Error("a clock has no inserts")
	}
}
