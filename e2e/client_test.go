package e2e

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-im/parley/e2e/person"
	"github.com/parley-im/parley/e2e/system"
	"github.com/parley-im/parley/pkg/client"
	"github.com/parley-im/parley/pkg/contract"
)

// dialClient connects a person's client to all gateways, from the first
// message of each room on.
func dialClient(t *testing.T, s *system.System, p *person.Person, o client.Options) *client.Client {
	t.Helper()
	o.Gateways = s.URLs
	if o.Tokens == nil {
		session, err := client.Resume(s.URLs, p.Refresh)
		if err != nil {
			t.Fatal(err)
		}
		o.Tokens = session
	}
	c, err := client.Dial(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("close the client: %v", err)
		}
	})
	return c
}

// take reads events until n messages of the room have come.
func take(ctx context.Context, t *testing.T, c *client.Client, roomID string, n int) []contract.Message {
	t.Helper()
	var got []contract.Message
	for len(got) < n {
		event, err := c.Next(ctx)
		if err != nil {
			t.Fatalf("after %d of %d messages: %v; %+v", len(got), n, err, c.Stats())
		}
		if m, ok := event.(*client.Message); ok && m.RoomID == roomID {
			got = append(got, m.Message)
		}
	}
	return got
}

// TestClient_outlives_its_gateways kills each gateway in turn while a client
// sends: the log has every message once, and so has every client.
func TestClient_outlives_its_gateways(t *testing.T) {
	s := system.Start(t, system.Options{})
	list := people(t, s, "ann", "bob")
	ann, bob := list[0], list[1]
	room := ann.Befriend(t, bob)
	annClient := dialClient(t, s, ann, client.Options{FromFirst: true})
	bobClient := dialClient(t, s, bob, client.Options{FromFirst: true})
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	defer cancel()
	const n = 300
	for i := range n {
		if i%100 == 50 {
			s.Gateways[i/100].Kill(t)
		}
		if i == 200 {
			s.Gateways[0].Restart(t) // else none would be left
		}
		reply, err := annClient.Send(ctx, room, fmt.Sprint(i))
		if err != nil {
			t.Fatalf("send %d: %v", i, err)
		}
		if reply.Seq != int64(i+1) {
			t.Fatalf("message %d has seq %d", i, reply.Seq)
		}
	}
	for name, c := range map[string]*client.Client{"ann": annClient, "bob": bobClient} {
		for i, m := range take(ctx, t, c, room, n) {
			if m.Seq != int64(i+1) || m.Content.Text != fmt.Sprint(i) {
				t.Fatalf("%s has %+v at %d", name, m, i)
			}
		}
	}
}

// TestRolling_gateways restarts each gateway in turn under load: no send fails
// within its deadline, and nothing is lost or doubled.
func TestRolling_gateways(t *testing.T) {
	s := system.Start(t, system.Options{Env: []string{"GATEWAY_DRAIN_TIME=1s"}})
	const senders = 12
	list := people(t, s, numbered("r", senders)...)
	for _, p := range list[1:] {
		list[0].Befriend(t, p)
	}
	room := list[0].Group(t, "rolling", list[1:]...).ID
	clients := make([]*client.Client, senders)
	for i, p := range list {
		clients[i] = dialClient(t, s, p, client.Options{FromFirst: true})
	}
	var sent atomic.Int64
	saying, stop := context.WithCancel(t.Context())
	var talking sync.WaitGroup
	for i, c := range clients {
		talking.Go(func() { // ended by stop
			for n := 0; saying.Err() == nil; n++ {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				_, err := c.Send(ctx, room, fmt.Sprintf("%d/%d", i, n))
				cancel()
				if err != nil {
					t.Errorf("sender %d: %v", i, err)
					return
				}
				sent.Add(1)
				select {
				case <-time.After(30 * time.Millisecond):
				case <-saying.Done():
				}
			}
		})
	}
	hush := func() { stop(); talking.Wait() }
	defer hush() // if the test ends before it should; a send takes ten seconds at most
	for _, gateway := range s.Gateways {
		gateway.Stop(t)
		gateway.Restart(t)
		before := sent.Load()
		eventually(t, "the talk goes on", func() bool { return sent.Load() > before+senders })
	}
	hush()
	n := int(sent.Load())
	log := list[0].History(t, room)
	whole(t, log, n)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for i, c := range clients {
		for at, m := range take(ctx, t, c, room, n) {
			if m.ID != log[at].ID {
				t.Fatalf("client %d has %+v at %d, the log %+v", i, m, at, log[at])
			}
		}
		if stats := c.Stats(); stats.Lost == 0 {
			t.Errorf("client %d was never sent away: %+v", i, stats)
		}
	}
}
