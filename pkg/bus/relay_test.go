package bus_test

import (
	"context"
	"database/sql"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-im/parley/pkg/bus"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
	"github.com/parley-im/parley/pkg/sqlite"
	"github.com/parley-im/parley/pkg/telemetry"
)

// write puts n events of the keys in turn into the outbox, one write each.
func write(t *testing.T, db *sqlite.DB, n int, keys ...string) []contract.Event {
	t.Helper()
	var all []contract.Event
	for i := range n {
		key := keys[i%len(keys)]
		e, err := contract.GroupRenamed.New(id.New(), key, time.Now(), contract.RoomEvent{RoomID: key, Rev: time.Now().UnixNano()})
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Write(t.Context(), func(tx *sql.Tx) error {
			return db.AddEvents(t.Context(), tx, []contract.Event{e})
		}); err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

// start runs a relay until the test ends, or stop is called.
func start(t *testing.T, nc *nats.Conn, outbox bus.Outbox, o bus.RelayOptions) (r *bus.Relay, stop func()) {
	t.Helper()
	if o.Telemetry == nil {
		o.Telemetry = telemetry.Discard(contract.Social)
	}
	o.Holder = id.New()
	if o.Interval == 0 {
		o.Interval = 50 * time.Millisecond
	}
	r = bus.NewRelay(nc, outbox, o)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }() // ended by cancel, joined by stop
	var stopped atomic.Bool
	stop = func() {
		if stopped.CompareAndSwap(false, true) {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
	t.Cleanup(stop)
	return r, stop
}

func stream(t *testing.T, nc *nats.Conn) {
	t.Helper()
	if err := bus.EnsureStream(t.Context(), nc, bus.StreamConfig{}); err != nil {
		t.Fatal(err)
	}
}

// wantAll checks that the stream holds each event once, those of one key in
// order.
func wantAll(t *testing.T, got []jetstream.Msg, want []contract.Event) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d events in the stream, want %d", len(got), len(want))
	}
	last := map[string]int64{}
	seen := map[string]bool{}
	for _, m := range got {
		body, err := contract.GroupRenamed.Decode(m.Data())
		if err != nil {
			t.Fatal(err)
		}
		if seen[body.ID] || m.Headers().Get(nats.MsgIdHdr) != body.ID {
			t.Fatalf("event %s twice, or under another id", body.ID)
		}
		seen[body.ID] = true
		if rev, ok := last[body.Data.RoomID]; ok && rev >= body.Data.Rev {
			t.Fatalf("room %s: %d after %d", body.Data.RoomID, body.Data.Rev, rev)
		}
		last[body.Data.RoomID] = body.Data.Rev
	}
}

func TestRelay_brings_everything_in_order(t *testing.T) {
	srv := startNATS(t)
	nc, _ := connect(t, srv.running.ClientURL(), &bus.Hooks{})
	stream(t, nc)
	db := openOutbox(t)
	want := write(t, db, 60, "a", "b", "c") // before a relay runs: a process that died
	r, _ := start(t, nc, db, bus.RelayOptions{Batch: 7, Interval: time.Hour})
	eventually(t, "all of them", func() bool { return len(relayed(t, nc)) >= len(want) })
	wantAll(t, relayed(t, nc), want)

	more := write(t, db, 5, "a")
	r.Kick() // the interval is an hour
	eventually(t, "those of the kick", func() bool { return len(relayed(t, nc)) >= len(want)+len(more) })
	wantAll(t, relayed(t, nc), append(want, more...))
	eventually(t, "an empty outbox", func() bool { // the stream has them a moment before
		left, err := db.Pending(t.Context(), 100)
		return err == nil && len(left) == 0
	})
}

// forgetful fails to remove events a few times, as a process that dies between
// publishing and removing does.
type forgetful struct {
	*sqlite.DB
	failures atomic.Int64
}

func (f *forgetful) Done(ctx context.Context, events []contract.Event) error {
	if f.failures.Add(-1) >= 0 {
		return errors.New("died before it was done")
	}
	return f.DB.Done(ctx, events)
}

func TestRelay_repeats_under_the_same_id(t *testing.T) {
	srv := startNATS(t)
	nc, _ := connect(t, srv.running.ClientURL(), &bus.Hooks{})
	stream(t, nc)
	outbox := &forgetful{DB: openOutbox(t)}
	outbox.failures.Store(3)
	want := write(t, outbox.DB, 10, "a", "b")
	start(t, nc, outbox, bus.RelayOptions{})
	eventually(t, "an empty outbox", func() bool {
		left, err := outbox.Pending(t.Context(), 1)
		return err == nil && len(left) == 0
	})
	wantAll(t, relayed(t, nc), want)
}

// counted notes who reads the outbox in order to relay: one that only looks
// whether events wait reads one.
type counted struct {
	*sqlite.DB
	reads atomic.Int64
}

func (c *counted) Pending(ctx context.Context, limit int) ([]contract.Event, error) {
	if limit > 1 {
		c.reads.Add(1)
	}
	return c.DB.Pending(ctx, limit)
}

func TestRelay_one_at_a_time(t *testing.T) {
	srv := startNATS(t)
	nc, _ := connect(t, srv.running.ClientURL(), &bus.Hooks{})
	stream(t, nc)
	db := openOutbox(t)
	first, second := &counted{DB: db}, &counted{DB: db}
	_, stop := start(t, nc, first, bus.RelayOptions{})
	eventually(t, "the first works", func() bool { return first.reads.Load() > 0 })
	start(t, nc, second, bus.RelayOptions{})
	want := write(t, db, 20, "a")
	eventually(t, "all of them", func() bool { return len(relayed(t, nc)) >= len(want) })
	if second.reads.Load() != 0 {
		t.Fatal("both work")
	}
	stop() // gives the lease up
	more := write(t, db, 20, "a")
	eventually(t, "the second takes over", func() bool { return len(relayed(t, nc)) >= len(want)+len(more) })
	wantAll(t, relayed(t, nc), append(want, more...))
}

// A relay that dies keeps its lease: after its ttl another takes over.
func TestRelay_after_a_death(t *testing.T) {
	srv := startNATS(t)
	nc, _ := connect(t, srv.running.ClientURL(), &bus.Hooks{})
	stream(t, nc)
	db := openOutbox(t)
	if held, err := db.Lease(t.Context(), "the dead", 500*time.Millisecond); err != nil || !held {
		t.Fatalf("lease %v, %v", held, err)
	}
	want := write(t, db, 5, "a")
	start(t, nc, db, bus.RelayOptions{})
	eventually(t, "all of them", func() bool { return len(relayed(t, nc)) >= len(want) })
	wantAll(t, relayed(t, nc), want)
}

func TestRelay_through_an_outage(t *testing.T) {
	srv := startNATS(t)
	nc, _ := connect(t, srv.running.ClientURL(), &bus.Hooks{})
	stream(t, nc)
	db := openOutbox(t)
	start(t, nc, db, bus.RelayOptions{})
	want := write(t, db, 10, "a", "b")
	eventually(t, "those before", func() bool { return len(relayed(t, nc)) >= len(want) })
	srv.stop()
	want = append(want, write(t, db, 10, "a", "b")...)
	srv.start(t)
	eventually(t, "those meanwhile", func() bool { return len(relayed(t, nc)) >= len(want) })
	wantAll(t, relayed(t, nc), want)
}

// The age of what waits is known while it can't be taken out, and gone with it.
func TestRelay_tells_how_long_events_wait(t *testing.T) {
	srv := startNATS(t)
	nc, tel := connect(t, srv.running.ClientURL(), &bus.Hooks{})
	stream(t, nc)
	outbox := &forgetful{DB: openOutbox(t)}
	outbox.failures.Store(1 << 30)
	e, err := contract.GroupRenamed.New(id.New(), "r", time.Now().Add(-time.Hour), contract.RoomEvent{RoomID: "r"})
	if err != nil {
		t.Fatal(err)
	}
	err = outbox.Write(t.Context(), func(tx *sql.Tx) error { return outbox.AddEvents(t.Context(), tx, []contract.Event{e}) })
	if err != nil {
		t.Fatal(err)
	}
	start(t, nc, outbox, bus.RelayOptions{Telemetry: tel})
	age := func() float64 { return gauge(t, tel, "parley_outbox_oldest_age_seconds") }
	eventually(t, "an age of an hour", func() bool { return age() >= time.Hour.Seconds() })
	outbox.failures.Store(0)
	eventually(t, "nothing waits", func() bool { return age() == 0 })
}

// gauge is the value of a gauge without labels.
func gauge(t *testing.T, tel *telemetry.Telemetry, name string) float64 {
	t.Helper()
	families, err := tel.Metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}

func TestRelay_Check(t *testing.T) {
	t.Run("the holder of the lease is dead", func(t *testing.T) {
		srv := startNATS(t)
		nc, tel := connect(t, srv.running.ClientURL(), &bus.Hooks{})
		stream(t, nc)
		db := openOutbox(t)
		if held, err := db.Lease(t.Context(), "dead", time.Hour); err != nil || !held {
			t.Fatal(held, err)
		}
		r, _ := start(t, nc, db, bus.RelayOptions{LeaseTTL: time.Hour, StallAfter: time.Millisecond, Telemetry: tel})
		if err := r.Check(t.Context()); err != nil {
			t.Errorf("nothing waits: %v", err)
		}
		want := write(t, db, 3, "a")
		eventually(t, "the check fails", func() bool { return r.Check(t.Context()) != nil })
		if err := tel.Health.Ready(t.Context()); err != nil {
			t.Errorf("readiness depends on the relay: %v", err)
		}
		if _, err := db.Lease(t.Context(), "dead", 0); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the check holds", func() bool { return r.Check(t.Context()) == nil })
		wantAll(t, relayed(t, nc), want)
	})
	t.Run("the stream takes nothing", func(t *testing.T) {
		srv := startNATS(t)
		nc, _ := connect(t, srv.running.ClientURL(), &bus.Hooks{})
		stream(t, nc)
		db := openOutbox(t)
		if err := srv.running.DisableJetStream(); err != nil {
			t.Fatal(err)
		}
		r, _ := start(t, nc, db, bus.RelayOptions{StallAfter: time.Hour})
		write(t, db, 1, "a")
		eventually(t, "the check fails", func() bool { return r.Check(t.Context()) != nil })
	})
}
