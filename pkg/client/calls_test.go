package client_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/client"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
)

// unreliable answers the first sends by each of the given, in turn.
func unreliable(answers ...func(*gateway, *socket, contract.Frame)) func(*gateway) {
	var n atomic.Int64
	return func(g *gateway) {
		g.answer = func(s *socket, f contract.Frame) bool {
			if f.Op != contract.OpMessageSend {
				return false
			}
			i := int(n.Add(1)) - 1
			if i >= len(answers) {
				return false
			}
			answers[i](g, s, f)
			return true
		}
	}
}

func TestSend(t *testing.T) {
	refuse := func(code fault.Code) func(*gateway, *socket, contract.Frame) {
		return func(_ *gateway, s *socket, f contract.Frame) {
			s.refuse(f, fault.New(code, "not now").After(time.Millisecond))
		}
	}
	stored := func(g *gateway, s *socket, f contract.Frame) {
		d := decode[contract.SendData](s.t, f.Data)
		g.append(d.RoomID, d.ClientID, d.Content.Text)
	}
	for name, answers := range map[string][]func(*gateway, *socket, contract.Frame){
		"refused for now":          {refuse(fault.Unavailable), refuse(fault.ResourceExhausted), refuse(fault.DeadlineExceeded), refuse(fault.Internal)},
		"not answered":             {func(*gateway, *socket, contract.Frame) {}},
		"stored, and not answered": {stored},
		"cut off":                  {func(_ *gateway, s *socket, _ contract.Frame) { _ = s.ws.CloseNow() }},
		"stored, and cut off":      {func(g *gateway, s *socket, f contract.Frame) { stored(g, s, f); _ = s.ws.CloseNow() }},
		"stored, and said it is not": {func(g *gateway, s *socket, f contract.Frame) {
			stored(g, s, f)
			refuse(fault.DeadlineExceeded)(g, s, f)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			g := newWorld().gateway(t)
			g.set(unreliable(answers...))
			c := dial(t, client.Options{CallTimeout: 100 * time.Millisecond}, g)
			reply, err := c.Send(t.Context(), "r", "hello")
			if err != nil || reply.Seq != 1 {
				t.Fatalf("got %+v, %v", reply, err)
			}
			if heads := g.heads(); len(heads) != 1 || heads[0].LastSeq != 1 {
				t.Fatalf("the log has %+v", heads)
			}
			if s := c.Stats(); s.Retries != int64(len(answers)) {
				t.Fatalf("got %+v", s)
			}
		})
	}
	for _, code := range []fault.Code{fault.InvalidArgument, fault.NotFound, fault.AlreadyExists, fault.FailedPrecondition, fault.PermissionDenied} {
		t.Run("refused for good as "+string(code), func(t *testing.T) {
			g := newWorld().gateway(t)
			g.set(unreliable(refuse(code)))
			c := dial(t, client.Options{}, g)
			if _, err := c.Send(t.Context(), "r", "hello"); !fault.Is(err, code) {
				t.Fatalf("got %v", err)
			}
		})
	}
	t.Run("given up", func(t *testing.T) {
		g := newWorld().gateway(t)
		g.set(func(g *gateway) {
			g.answer = func(s *socket, f contract.Frame) bool {
				s.refuse(f, fault.New(fault.Unavailable, "not now"))
				return true
			}
		})
		c := dial(t, client.Options{}, g)
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		if _, err := c.Send(ctx, "r", "hello"); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("got %v", err)
		}
	})
	t.Run("closed", func(t *testing.T) {
		c := dial(t, client.Options{}, newWorld().gateway(t))
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Send(t.Context(), "r", "hello"); !errors.Is(err, client.ErrClosed) {
			t.Fatalf("got %v", err)
		}
	})
	t.Run("while closing, and the gateway says no goodbye", func(t *testing.T) {
		g := newWorld().gateway(t)
		stuck, over := make(chan struct{}), make(chan struct{})
		t.Cleanup(func() { close(over) })
		g.set(func(g *gateway) {
			g.answer = func(*socket, contract.Frame) bool { // once: then it reads no more
				close(stuck)
				<-over
				return true
			}
		})
		c := dial(t, client.Options{CallTimeout: 20 * time.Millisecond}, g)
		sent := make(chan error, 1)
		go func() { // ended by Close
			_, err := c.Send(context.Background(), "r", "hello")
			sent <- err
		}()
		<-stuck
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-sent; !errors.Is(err, client.ErrClosed) {
			t.Fatalf("got %v", err)
		}
		if s := c.Stats(); s.Retries > 100 {
			t.Fatalf("%d tries on a connection that is being closed", s.Retries)
		}
	})
	t.Run("under the caller's client_id", func(t *testing.T) {
		g := newWorld().gateway(t)
		c := dial(t, client.Options{}, g)
		for range 2 {
			if reply, err := c.Send(t.Context(), "r", "hello", client.WithClientID("mine")); err != nil || reply.Seq != 1 {
				t.Fatalf("got %+v, %v", reply, err)
			}
		}
	})
	t.Run("behind others that take their time", func(t *testing.T) {
		g := newWorld().gateway(t)
		step := make(chan struct{})
		g.set(func(g *gateway) {
			g.answer = func(*socket, contract.Frame) bool {
				<-step // closed in the end
				return false
			}
		})
		const patience, sends = 2 * time.Second, 8
		c := dial(t, client.Options{CallTimeout: patience}, g)
		var wg sync.WaitGroup
		for i := range sends {
			wg.Go(func() {
				if _, err := c.Send(t.Context(), "r", fmt.Sprint(i)); err != nil {
					t.Errorf("send %d: %v", i, err)
				}
			})
		}
		for range sends { // the last waits for twice as long as it has patience
			time.Sleep(patience / 4)
			step <- struct{}{}
		}
		close(step)
		wg.Wait()
		if s := c.Stats(); s.Retries != 0 || s.Connects != 1 {
			t.Fatalf("got %+v", s)
		}
	})
	t.Run("many at once", func(t *testing.T) {
		g := newWorld().gateway(t)
		c := dial(t, client.Options{}, g)
		var wg sync.WaitGroup
		for i := range 200 {
			wg.Go(func() {
				if i == 100 {
					g.closeAll(1012)
				}
				if _, err := c.Send(t.Context(), "r", fmt.Sprint(i)); err != nil {
					t.Errorf("send %d: %v", i, err)
				}
			})
		}
		wg.Wait()
		if heads := g.heads(); heads[0].LastSeq != 200 {
			t.Fatalf("the log has %+v", heads)
		}
	})
}
