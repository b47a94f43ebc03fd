package gateway

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/telemetry"
)

// BenchmarkHub_reconnect is how long a gateway of 10,000 connections in 50,000
// rooms is without pushes after the NATS server is back: until it is connected,
// its subscriptions are there, and everyone waits to be read again.
func BenchmarkHub_reconnect(b *testing.B) {
	const users, rooms = 10_000, 5
	srv := startNATS(b, -1)
	u, err := url.Parse(srv.ClientURL())
	if err != nil {
		b.Fatal(err)
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		b.Fatal(err)
	}
	back := make(chan time.Duration, 1)
	var h *hub
	nc, err := nats.Connect(srv.ClientURL(), nats.MaxReconnects(-1), nats.ReconnectWait(10*time.Millisecond),
		nats.ReconnectJitter(0, 0), nats.ReconnectBufSize(-1),
		nats.ReconnectHandler(func(*nats.Conn) {
			began := time.Now()
			h.Reconnected()
			back <- time.Since(began)
		}))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(nc.Close)
	h = newHub(nc, telemetry.Discard(contract.Gateway))
	asks := newAsks()
	h.resync = asks.add
	populate(b, h, users, rooms)
	for b.Loop() {
		b.StopTimer()
		srv.Shutdown()
		srv.WaitForShutdown()
		eventually(b, "the connection is lost", func() bool { return !nc.IsConnected() })
		srv = startNATS(b, port)
		b.StartTimer()
		marked := <-back
		if err := nc.Flush(); err != nil { // all subscriptions are there
			b.Fatal(err)
		}
		b.StopTimer()
		b.ReportMetric(float64(marked.Milliseconds()), "ms-to-mark")
		b.ReportMetric(float64(asks.waiting()), "users-asked")
		if n := srv.NumSubscriptions(); int(n) < users*(rooms+1) {
			b.Fatalf("%d subscriptions", n)
		}
		for userID, ok := asks.take(); ok; userID, ok = asks.take() {
			asks.done(userID)
		}
		b.StartTimer()
	}
}

// populate has users connected in rooms of their own.
func populate(b *testing.B, h *hub, users, rooms int) {
	b.Helper()
	var all sync.WaitGroup
	for worker := range 50 {
		all.Go(func() {
			for i := worker; i < users; i += 50 {
				userID := fmt.Sprintf("user-%05d", i)
				c := attached(b, h, userID)
				var at []roomRev
				for j := range rooms {
					at = append(at, roomRev{fmt.Sprintf("room-%05d-%d", i, j), 1})
				}
				if _, err := h.join(context.Background(), c, at...); err != nil {
					b.Error(err)
				}
			}
		})
	}
	all.Wait()
}
