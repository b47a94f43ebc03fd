package client_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/parley-im/parley/pkg/client"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
)

func TestDial_refuses_options(t *testing.T) {
	for name, o := range map[string]client.Options{
		"no gateways":    {Tokens: &source{}},
		"no tokens":      {Gateways: []string{"http://127.0.0.1"}},
		"no URL":         {Tokens: &source{}, Gateways: []string{"127.0.0.1:8080"}},
		"a token in it":  {Tokens: &source{}, Gateways: []string{"http://127.0.0.1?token=x"}},
		"a user in it":   {Tokens: &source{}, Gateways: []string{"http://me:secret@127.0.0.1"}},
		"another scheme": {Tokens: &source{}, Gateways: []string{"ftp://127.0.0.1"}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := client.Dial(t.Context(), o); err == nil {
				t.Fatal("dialled")
			}
		})
	}
}

func TestDial_says_why_not(t *testing.T) {
	g := newWorld().gateway(t)
	g.refuse = func(string) (int, string) { return http.StatusServiceUnavailable, "1" }
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := client.Dial(ctx, client.Options{Gateways: []string{g.URL}, Tokens: &source{}})
	if !errors.Is(err, context.DeadlineExceeded) || err.Error() == context.DeadlineExceeded.Error() {
		t.Fatalf("got %v", err)
	}
}

func TestClient_connects_again(t *testing.T) {
	for name, code := range map[string]websocket.StatusCode{
		"after a restart": 1012, "after going away": 1001, "after being too slow": 4408, "after a crash": 1011,
	} {
		t.Run(name, func(t *testing.T) {
			g := newWorld().gateway(t)
			c := dial(t, client.Options{FromFirst: true}, g)
			expect(t, c, func(*client.Connected) bool { return true })
			g.append("r", "1", "") // told by nobody
			g.closeAll(code)
			lost := expect(t, c, func(*client.Disconnected) bool { return true })
			if got := websocket.CloseStatus(lost.Err); got != code {
				t.Fatalf("lost by %d: %v", got, lost.Err)
			}
			expect(t, c, func(*client.Connected) bool { return true })
			follow(t, c, "r", 1, 1)
			if s := c.Stats(); s.Connects != 2 || s.Lost != 1 || s.LongestOutage <= 0 {
				t.Fatalf("got %+v", s)
			}
		})
	}
	t.Run("to another gateway than one that refuses", func(t *testing.T) {
		w := newWorld()
		full, free := w.gateway(t), w.gateway(t)
		full.refuse = func(string) (int, string) { return http.StatusServiceUnavailable, "60" }
		c := dial(t, client.Options{}, full, free)
		free.closeAll(1012)
		expect(t, c, func(*client.Disconnected) bool { return true })
		if e := expect(t, c, func(*client.Connected) bool { return true }); e.Gateway != free.URL || full.connects() > 1 {
			t.Fatalf("connected to %s, asked the full one %d times", e.Gateway, full.connects())
		}
	})
	t.Run("when the gateway asks", func(t *testing.T) {
		w := newWorld()
		one := w.gateway(t)
		c := dial(t, client.Options{}, one)
		expect(t, c, func(*client.Connected) bool { return true })
		one.each(func(s *socket) { s.push(contract.ServerDraining, contract.DrainingData{ReconnectAfterMS: 1}) })
		expect(t, c, func(*client.Disconnected) bool { return true }) // the gateway itself never closes
		expect(t, c, func(*client.Connected) bool { return true })
	})
	t.Run("when the gateway is silent", func(t *testing.T) {
		g := newWorld().gateway(t)
		g.heartbeat = 20 * time.Millisecond
		c := dial(t, client.Options{}, g)
		expect(t, c, func(*client.Disconnected) bool { return true })
	})
}

func TestClient_tokens(t *testing.T) {
	t.Run("one that runs out is renewed on the live connection", func(t *testing.T) {
		g := newWorld().gateway(t)
		c := dial(t, client.Options{Tokens: &source{ttl: 300 * time.Millisecond}}, g)
		eventually(t, "it is renewed twice", func() bool { return slices.Contains(g.tokens(), "token-3") })
		if s := c.Stats(); s.Lost > 0 || g.connects() != 1 {
			t.Fatalf("got %+v, %d connects", s, g.connects())
		}
	})
	t.Run("one that does not get through is sent again, and not renewed", func(t *testing.T) {
		g, tokens := newWorld().gateway(t), &source{ttl: time.Second}
		refused := make(chan string, 2)
		g.set(func(g *gateway) {
			g.answer = func(s *socket, f contract.Frame) bool {
				if f.Op != contract.OpAuth || len(refused) == cap(refused) {
					return false
				}
				refused <- decode[contract.AuthData](s.t, f.Data).Token
				s.refuse(f, fault.New(fault.Unavailable, "not now"))
				return true
			}
		})
		dial(t, client.Options{Tokens: tokens}, g)
		eventually(t, "it gets through", func() bool { return slices.Contains(g.tokens(), "token-2") })
		if first, second := <-refused, <-refused; first != "token-2" || second != "token-2" {
			t.Fatalf("sent %s and %s", first, second)
		}
	})
	t.Run("one that is refused is replaced", func(t *testing.T) {
		g := newWorld().gateway(t)
		g.refuse = func(token string) (int, string) {
			if token == "token-1" {
				return http.StatusUnauthorized, ""
			}
			return 0, ""
		}
		dial(t, client.Options{}, g)
		if !slices.Equal(g.tokens(), []string{"token-1", "token-2"}) {
			t.Fatalf("tried %v", g.tokens())
		}
	})
	for name, code := range map[string]websocket.StatusCode{"authenticate again": 4401, "session revoked": 4503} {
		t.Run("another is asked for after "+name, func(t *testing.T) {
			g, tokens := newWorld().gateway(t), &source{}
			c := dial(t, client.Options{Tokens: tokens}, g)
			expect(t, c, func(*client.Connected) bool { return true })
			g.closeAll(code)
			expect(t, c, func(*client.Connected) bool { return true })
			if !slices.Contains(g.tokens(), "token-2") {
				t.Fatalf("tried %v", g.tokens())
			}
			ended := fault.New(fault.Unauthenticated, "the session has ended")
			tokens.fail(ended)
			g.closeAll(code)
			for {
				if _, err := c.Next(t.Context()); err != nil {
					if !fault.Is(err, fault.Unauthenticated) {
						t.Fatalf("got %v", err)
					}
					break
				}
			}
			if _, err := c.Send(t.Context(), "r", "too late"); !fault.Is(err, fault.Unauthenticated) {
				t.Fatalf("got %v", err)
			}
		})
	}
	t.Run("one that is refused after the upgrade is replaced", func(t *testing.T) {
		g := newWorld().gateway(t)
		g.greet = func(s *socket, token string) bool {
			if token == "token-1" {
				_ = s.ws.Close(4401, "")
				return false
			}
			return true
		}
		dial(t, client.Options{}, g)
		if !slices.Equal(g.tokens(), []string{"token-1", "token-2"}) {
			t.Fatalf("tried %v", g.tokens())
		}
	})
	t.Run("an outage of the source is waited for", func(t *testing.T) {
		g, tokens := newWorld().gateway(t), &source{err: fault.New(fault.Unavailable, "not now")}
		time.AfterFunc(50*time.Millisecond, func() { tokens.fail(nil) })
		dial(t, client.Options{Tokens: tokens}, g)
	})
}

// A gateway that takes a connection and cannot admit it closes it as one that
// restarts: it must not be asked again and again without a pause.
func TestClient_pauses_before_it_asks_again(t *testing.T) {
	g := newWorld().gateway(t)
	g.greet = func(s *socket, _ string) bool {
		_ = s.ws.Close(1012, "")
		return false
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := client.Dial(ctx, client.Options{Gateways: []string{g.URL}, Tokens: &source{}}); err == nil {
		t.Fatal("dialled")
	}
	if n := g.connects(); n > 30 {
		t.Fatalf("asked %d times in a second", n)
	}
}

func TestClient_close_code_that_ends_it(t *testing.T) {
	g := newWorld().gateway(t)
	c := dial(t, client.Options{}, g)
	g.closeAll(4500)
	for {
		if _, err := c.Next(t.Context()); err != nil {
			if !fault.Is(err, fault.Unauthenticated) || g.connects() != 1 {
				t.Fatalf("got %v after %d connects", err, g.connects())
			}
			return
		}
	}
}
