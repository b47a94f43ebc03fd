package e2e

import (
	"context"
	"fmt"
	"testing"

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
