package client_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/parley-im/parley/pkg/client"
	"github.com/parley-im/parley/pkg/contract"
)

func push(m contract.Message) func(*socket) {
	return func(s *socket) { s.push(contract.MessagePushed, m) }
}

func TestStream(t *testing.T) {
	t.Run("what is known is dropped", func(t *testing.T) {
		g := newWorld().gateway(t)
		c := dial(t, client.Options{}, g)
		one, two := g.append("r", "1", ""), g.append("r", "2", "")
		for _, m := range []contract.Message{one, one, two, one, two} {
			g.each(push(m))
		}
		follow(t, c, "r", 1, 2)
		eventually(t, "three are dropped", func() bool { return c.Stats().Doubled == 3 })
	})

	t.Run("a disabled member is an event", func(t *testing.T) {
		g := newWorld().gateway(t)
		c := dial(t, client.Options{}, g)
		g.each(func(s *socket) {
			s.push(contract.UserDisabled, contract.UserDisabledData{RoomID: "r", UserID: "cem", Disabled: true})
		})
		expect(t, c, func(d *client.UserDisabled) bool { return d.RoomID == "r" && d.UserID == "cem" && d.Disabled })
	})

	t.Run("what is early waits for what is late", func(t *testing.T) {
		g := newWorld().gateway(t)
		g.append("r", "1", "")
		c := dial(t, client.Options{FromFirst: true, Hold: time.Hour}, g)
		follow(t, c, "r", 1, 1)
		repairs := c.Stats().Repairs
		two, three, four := g.append("r", "2", ""), g.append("r", "3", ""), g.append("r", "4", "")
		for _, m := range []contract.Message{four, three, two} {
			g.each(push(m))
		}
		follow(t, c, "r", 2, 4)
		if s := c.Stats(); s.Repairs != repairs || s.Early != 2 {
			t.Fatalf("got %+v", s)
		}
	})

	t.Run("a gap is fetched", func(t *testing.T) {
		g := newWorld().gateway(t)
		c := dial(t, client.Options{FromFirst: true, Hold: time.Millisecond}, g)
		for i := range 449 {
			g.append("r", fmt.Sprint(i), "")
		}
		g.each(push(g.append("r", "last", "")))
		follow(t, c, "r", 1, 450)
		if s := c.Stats(); s.Fetched < 449 || s.Repairs < 3 {
			t.Fatalf("got %+v", s)
		}
	})

	t.Run("an announced head is fetched", func(t *testing.T) {
		g := newWorld().gateway(t)
		c := dial(t, client.Options{Hold: time.Millisecond}, g)
		g.append("r", "1", "")
		g.each(func(s *socket) { s.push(contract.RoomHeadPushed, contract.RoomHeadData{RoomID: "r", LastSeq: 1}) })
		follow(t, c, "r", 1, 1)
	})

	t.Run("it begins behind what was there, and at the first of a new room", func(t *testing.T) {
		g := newWorld().gateway(t)
		g.append("old", "1", "")
		c := dial(t, client.Options{Hold: time.Millisecond}, g)
		g.append("new", "1", "")
		g.append("new", "2", "")
		g.change("new", func(l *log) { l.first = 2 })
		g.each(func(s *socket) {
			s.push(contract.RoomCreated, contract.RoomCreatedData{Room: contract.Room{ID: "new", FirstSeq: 2, LastSeq: 2}})
		})
		follow(t, c, "new", 2, 2)
		g.each(push(g.append("old", "2", "")))
		follow(t, c, "old", 2, 2)
	})

	t.Run("who joins again gets nothing of what was between, and nothing twice", func(t *testing.T) {
		g := newWorld().gateway(t)
		g.append("r", "1", "")
		c := dial(t, client.Options{FromFirst: true, Hold: time.Millisecond}, g)
		follow(t, c, "r", 1, 1)
		g.change("r", func(l *log) { l.closed = true })
		g.each(func(s *socket) { s.push(contract.MemberLeft, contract.MemberLeftData{RoomID: "r", UserID: "me"}) })
		expect(t, c, func(*client.MemberLeft) bool { return true })
		g.append("r", "2", "")
		g.append("r", "3", "")
		g.change("r", func(l *log) { l.closed, l.first = false, 4 })
		// The news of joining is lost, and that of leaving is told again, late.
		four := g.append("r", "4", "")
		g.each(push(four))
		follow(t, c, "r", 4, 4)
		g.each(func(s *socket) { s.push(contract.MemberLeft, contract.MemberLeftData{RoomID: "r", UserID: "me"}) })
		expect(t, c, func(*client.MemberLeft) bool { return true })
		g.each(push(four))
		g.each(push(g.append("r", "5", "")))
		follow(t, c, "r", 5, 5)
	})

	t.Run("what waits for a late one is bounded", func(t *testing.T) {
		g := newWorld().gateway(t)
		c := dial(t, client.Options{FromFirst: true, Hold: time.Hour, Buffer: 8}, g)
		one := g.append("r", "1", "")
		for i := range 30 {
			g.each(push(g.append("r", fmt.Sprint("early-", i), "")))
		}
		if _, err := c.Send(t.Context(), "other", "a round trip later"); err != nil {
			t.Fatal(err)
		}
		if s := c.Stats(); s.Early != 8 {
			t.Fatalf("got %+v", s)
		}
		g.each(push(one))
		follow(t, c, "r", 1, 9)
	})

	t.Run("a room that is no longer the user's is left alone", func(t *testing.T) {
		g := newWorld().gateway(t)
		c := dial(t, client.Options{Hold: time.Millisecond}, g)
		g.set(func(g *gateway) { g.room("r").closed = true })
		asked := make(chan struct{}, 100)
		g.set(func(g *gateway) {
			g.answer = func(_ *socket, f contract.Frame) bool {
				if f.Op == contract.OpMessagesGet {
					asked <- struct{}{}
				}
				return false
			}
		})
		g.each(func(s *socket) { s.push(contract.RoomHeadPushed, contract.RoomHeadData{RoomID: "r", LastSeq: 9}) })
		<-asked
		if _, err := c.Send(t.Context(), "other", "a round trip later"); err != nil {
			t.Fatal(err)
		}
		if len(asked) > 0 {
			t.Fatal("it was asked for again")
		}
	})
}

// TestStream_any_delivery throws at a client what a network may do to pushes
// and connections: it has every message of every room, once and in order.
func TestStream_any_delivery(t *testing.T) {
	seed := rand.Uint64()
	defer func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	}()
	random := rand.New(rand.NewPCG(seed, 0))
	w := newWorld()
	gateways := []*gateway{w.gateway(t), w.gateway(t)}
	c := dial(t, client.Options{FromFirst: true, Hold: 5 * time.Millisecond, Buffer: 32}, gateways...)
	const rooms, each = 5, 200
	got := make(chan map[string]int64, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	defer cancel()
	go func() { // ended by the last message, or ctx
		last := map[string]int64{}
		defer func() { got <- last }()
		for n := 0; n < rooms*each; {
			e, err := c.Next(ctx)
			if err != nil {
				t.Errorf("after %d: %v", n, err)
				return
			}
			if m, ok := e.(*client.Message); ok {
				if m.Seq != last[m.RoomID]+1 {
					t.Errorf("got seq %d of %s after %d", m.Seq, m.RoomID, last[m.RoomID])
					return
				}
				last[m.RoomID] = m.Seq
				n++
			}
		}
	}()
	var late []contract.Message
	for i := range rooms * each {
		room := fmt.Sprintf("room-%d", i%rooms)
		m := w.append(room, fmt.Sprint(i), "")
		for _, g := range gateways {
			switch random.IntN(10) {
			case 0: // lost
			case 1: // late
				late = append(late, m)
			case 2: // twice
				g.each(push(m))
				g.each(push(m))
			default:
				g.each(push(m))
			}
			if len(late) > 5 {
				for _, j := range random.Perm(len(late)) {
					g.each(push(late[j]))
				}
				late = nil
			}
		}
		if random.IntN(100) == 0 {
			codes := []websocket.StatusCode{1012, 4408, 4401, 1011}
			gateways[random.IntN(2)].closeAll(codes[random.IntN(len(codes))])
		}
	}
	// The last ones may be lost without a trace, until the heads are told.
	for _, g := range gateways {
		for _, head := range w.heads() {
			g.each(func(s *socket) {
				s.push(contract.RoomHeadPushed, contract.RoomHeadData{RoomID: head.ID, LastSeq: head.LastSeq})
			})
		}
	}
	for room, last := range <-got {
		if last != each {
			t.Errorf("%s ends at %d, not %d", room, last, each)
		}
	}
	t.Logf("%+v", c.Stats())
}

// TestStream_removed_meanwhile removes a message before it is passed on: it
// comes as a tombstone, whichever way it comes.
func TestStream_removed_meanwhile(t *testing.T) {
	removal := contract.MessageRemovedData{RoomID: "r", Seq: 2, RemovedBy: "someone", RemovedAt: contract.FromMilli(1)}
	removed := func(s *socket) { s.push(contract.MessageRemovedPushed, removal) }
	tombstone := func(t *testing.T, c *client.Client) {
		t.Helper()
		expect(t, c, func(m *client.Message) bool {
			if m.Seq == 2 && (m.Type != contract.MessageRemoved || m.Content != (contract.Content{}) || m.RemovedBy != "someone" || m.RemovedAt == nil) {
				t.Errorf("got %+v, want a tombstone", m.Message)
			}
			return m.Seq == 2
		})
	}

	t.Run("it was early", func(t *testing.T) {
		g := newWorld().gateway(t)
		c := dial(t, client.Options{FromFirst: true, Hold: time.Hour}, g)
		one, two := g.append("r", "1", ""), g.append("r", "2", "regretted")
		g.each(push(two))
		g.each(removed)
		g.each(push(one))
		tombstone(t, c)
	})

	t.Run("it was being fetched", func(t *testing.T) {
		g := newWorld().gateway(t)
		c := dial(t, client.Options{FromFirst: true, Hold: time.Millisecond}, g)
		g.append("r", "1", "")
		g.append("r", "2", "regretted")
		g.set(func(g *gateway) {
			g.answer = func(s *socket, f contract.Frame) bool {
				if f.Op == contract.OpMessagesGet {
					removed(s)
				}
				return false // the page was read before
			}
		})
		g.each(func(s *socket) { s.push(contract.RoomHeadPushed, contract.RoomHeadData{RoomID: "r", LastSeq: 2}) })
		tombstone(t, c)
	})

	t.Run("nothing else was told of it", func(t *testing.T) {
		g := newWorld().gateway(t)
		g.append("r", "1", "")
		c := dial(t, client.Options{FromFirst: true, Hold: time.Millisecond}, g)
		follow(t, c, "r", 1, 1)
		g.append("r", "2", "regretted")
		g.each(removed)
		tombstone(t, c)
	})
}

func TestStream_who_has_read(t *testing.T) {
	g := newWorld().gateway(t)
	c := dial(t, client.Options{FromFirst: true}, g)
	g.each(func(s *socket) {
		s.push(contract.RoomReadPushed, contract.RoomReadData{RoomID: "r", UserID: "a", Seq: 1})
		s.push(contract.RoomReadsPushed, contract.RoomReadsData{RoomID: "r", Reads: []contract.MemberRead{{UserID: "b", Seq: 2}, {UserID: "c", Seq: 3}}})
	})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var got []contract.RoomReadData
	for len(got) < 3 {
		e, err := c.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if read, ok := e.(*client.RoomRead); ok {
			got = append(got, read.RoomReadData)
		}
	}
	want := []contract.RoomReadData{{RoomID: "r", UserID: "a", Seq: 1}, {RoomID: "r", UserID: "b", Seq: 2}, {RoomID: "r", UserID: "c", Seq: 3}}
	if !slices.Equal(got, want) {
		t.Fatalf("got %+v", got)
	}
}

func TestStream_is_bounded(t *testing.T) {
	g := newWorld().gateway(t)
	const buffer = 16
	c := dial(t, client.Options{FromFirst: true, Buffer: buffer, Hold: time.Millisecond}, g)
	for i := range 20 * buffer {
		g.each(push(g.append("r", fmt.Sprint(i), "")))
		g.each(func(s *socket) {
			s.push(contract.RoomReadPushed, contract.RoomReadData{RoomID: "r", UserID: "x", Seq: int64(i)})
		})
	}
	// Nothing is taken, and a reply still comes.
	if _, err := c.Send(t.Context(), "other", "a round trip later"); err != nil {
		t.Fatal(err)
	}
	if waiting := c.Stats().Messages; waiting > buffer {
		t.Fatalf("%d messages wait", waiting)
	}
	reads, lagged := 0, false
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for want := int64(1); want <= 20*buffer; {
		e, err := c.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		switch e := e.(type) {
		case *client.Message:
			if e.RoomID == "r" {
				if e.Seq != want {
					t.Fatalf("got %d, want %d", e.Seq, want)
				}
				want++
			}
		case *client.RoomRead:
			reads++
		case *client.Lagged:
			lagged = true
		}
	}
	if reads > 2*buffer || !lagged {
		t.Fatalf("%d read positions were kept, lagged %v", reads, lagged)
	}
}
