package mongodb_test

import (
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/mongodb"
	"github.com/parley-im/parley/pkg/mongodb/mongotest"
)

func lease(t *testing.T, o *mongodb.Outbox, holder string, ttl time.Duration) bool {
	t.Helper()
	ok, err := o.Lease(t.Context(), holder, ttl)
	if err != nil {
		t.Error(err)
	}
	return ok
}

func TestOutbox_Lease(t *testing.T) {
	uri := mongotest.URI(t)
	a, b := mongotest.Connect(t, uri).Outbox("rooms"), mongotest.Connect(t, uri).Outbox("rooms")
	if !lease(t, a, "a", time.Minute) || !lease(t, a, "a", time.Minute) {
		t.Fatal("a was not given the free lease, or may not renew it")
	}
	if lease(t, b, "b", time.Minute) || lease(t, b, "b", 0) || lease(t, b, "b", time.Minute) {
		t.Fatal("b took, or gave up, a's lease")
	}
	if !lease(t, mongotest.Connect(t, uri).Outbox("users"), "c", time.Minute) {
		t.Error("other collections have the same lease")
	}
	if lease(t, a, "a", 0) {
		t.Error("a holds what it gave up")
	}
	if !lease(t, b, "b", 300*time.Millisecond) {
		t.Fatal("b was not given the lease that a gave up")
	}

	// Renewed, it never runs out; left alone, it does.
	for start := time.Now(); time.Since(start) < 600*time.Millisecond; {
		if !lease(t, b, "b", 300*time.Millisecond) || lease(t, a, "a", time.Minute) {
			t.Fatal("b lost the lease that it renews")
		}
	}
	start := time.Now()
	for !lease(t, a, "a", time.Minute) {
		if time.Since(start) > 10*time.Second {
			t.Fatal("b's lease never ran out")
		}
	}
	if took := time.Since(start); took < 200*time.Millisecond {
		t.Errorf("b's lease ran out after %s already", took)
	}
}

func TestOutbox_Lease_concurrent(t *testing.T) {
	uri := mongotest.URI(t)
	var held atomic.Int32
	var wg sync.WaitGroup
	for i := range 10 {
		o := mongotest.Connect(t, uri).Outbox("rooms")
		wg.Go(func() {
			if lease(t, o, "holder-"+strconv.Itoa(i), time.Minute) {
				held.Add(1)
			}
		})
	}
	wg.Wait()
	if n := held.Load(); n != 1 {
		t.Errorf("%d hold the lease", n)
	}
}
