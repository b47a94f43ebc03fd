package run_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

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

func TestGroup_a_part_may_have_its_own_time_to_stop(t *testing.T) {
	stopped := func(start func(g *run.Group, f func(context.Context) error)) (left time.Duration, err error) {
		ctx, cancel := context.WithCancel(t.Context())
		g := run.NewGroup(ctx)
		start(g, func(ctx context.Context) error {
			deadline, _ := ctx.Deadline()
			left = time.Until(deadline)
			return nil
		})
		cancel()
		return left, g.Wait()
	}
	left, err := stopped(func(g *run.Group, f func(context.Context) error) { g.OnStopWithin("sockets", time.Hour, f) })
	if err != nil || left <= time.Minute || left > time.Hour {
		t.Fatalf("an hour became %v, %v", left, err)
	}
	left, err = stopped(func(g *run.Group, f func(context.Context) error) { g.OnStop("sockets", f) })
	if err != nil || left <= 0 || left > run.StopTimeout {
		t.Fatalf("the usual time became %v, %v", left, err)
	}
}

// A part that uses its time up and then returns has stopped.
func TestGroup_a_part_may_use_all_of_its_time(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the machine may be slow, its clock here is not
		ctx, cancel := context.WithCancel(t.Context())
		g := run.NewGroup(ctx)
		g.OnStopWithin("sockets", time.Minute, func(ctx context.Context) error {
			<-ctx.Done()
			return nil
		})
		cancel()
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestGroup_tells_who_did_not_stop_and_stops_the_others(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	g := run.NewGroup(ctx)
	closed := false
	g.OnStop("store", func(context.Context) error {
		closed = true
		return nil
	})
	hang := make(chan struct{})
	defer close(hang)
	g.GoWithin("sockets", time.Millisecond, func(context.Context) error {
		<-hang
		return nil
	})
	cancel()
	if err := g.Wait(); err == nil || !strings.Contains(err.Error(), "sockets did not stop within") || !closed {
		t.Fatalf("%v; store closed: %v", err, closed)
	}
}
