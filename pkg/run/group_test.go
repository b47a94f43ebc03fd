package run_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/parley-im/parley/pkg/run"
)

func TestGroup_stops_in_reverse_order(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	g := run.NewGroup(ctx)
	var stopped []string
	for _, name := range []string{"store", "nats", "server"} {
		g.OnStop(name, func(context.Context) error {
			stopped = append(stopped, name)
			return nil
		})
	}
	cancel()
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(stopped, []string{"server", "nats", "store"}) {
		t.Fatalf("stopped %v", stopped)
	}
}

func TestGroup_ends_with_its_first_failure(t *testing.T) {
	g := run.NewGroup(t.Context())
	closed := false
	g.OnStop("store", func(context.Context) error {
		closed = true
		return nil
	})
	broken := errors.New("broken")
	g.Go("server", func(context.Context) error { return broken })
	if err := g.Wait(); !errors.Is(err, broken) || !strings.Contains(err.Error(), "server") {
		t.Fatalf("got %v", err)
	}
	if !closed {
		t.Fatal("the store was not closed")
	}
}

func TestGroup_tells_who_ended_by_itself(t *testing.T) {
	g := run.NewGroup(t.Context())
	g.Go("relay", func(context.Context) error { return nil })
	if err := g.Wait(); err == nil || !strings.Contains(err.Error(), "relay") {
		t.Fatalf("got %v", err)
	}
}
