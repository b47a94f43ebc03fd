package gateway

import (
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/token"
)

func TestSocket_clock(t *testing.T) {
	w := newWorld(t, func(cfg *Config) {
		cfg.AuthTimeout, cfg.Heartbeat = time.Second, 2*time.Second
	})
	t.Run("who never authenticates is closed", func(t *testing.T) {
		if code := closed(t, w.dial(t, "")); code != contract.CloseUnauthenticated {
			t.Fatalf("closed with %d", code)
		}
		w.ended(t, endUnauthenticated, 1)
	})
	t.Run("pings keep a silent client", func(t *testing.T) {
		ws := w.dial(t, w.token(t, "ann", "s1"))
		if frame, err := next(t, ws); err != nil || !strings.Contains(frame, `"op":"ready"`) {
			t.Fatalf("%s, %v", frame, err)
		}
		// It answers pings by reading, longer than two heartbeats.
		done := time.AfterFunc(5*time.Second, func() { _ = ws.Write(t.Context(), websocket.MessageText, []byte(`{"id":"1","op":"ping"}`)) })
		defer done.Stop()
		if frame, err := next(t, ws); err != nil || !strings.Contains(frame, `"op":"ok"`) {
			t.Fatalf("%s, %v", frame, err)
		}
	})
	t.Run("a half-open peer is noticed", func(t *testing.T) {
		conn := w.dialRaw(t, w.token(t, "deaf", "s2"))
		// It never answers a ping: the gateway hangs up.
		_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		buf := make([]byte, 4096)
		for {
			if _, err := conn.Read(buf); err != nil {
				if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
					t.Fatal("still connected")
				}
				break
			}
		}
		w.ended(t, endIdle, 1)
	})
}

func TestSocket_token_that_runs_out(t *testing.T) {
	w := newWorld(t, nil)
	w.signer = token.NewSigner(w.key, 2*time.Second, time.Now)
	ws := w.dial(t, w.token(t, "ann", "s1"))
	if code := closed(t, ws); code != contract.CloseUnauthenticated {
		t.Fatalf("closed with %d", code)
	}
	w.ended(t, endExpired, 1)
}

func TestSocket_slow_reader_is_closed_and_nobody_else(t *testing.T) {
	w := newWorld(t, func(cfg *Config) { cfg.QueueBytes = 128 << 10 })
	w.in("slow", "r1")
	w.in("quick", "r1")
	slow, quick := w.dial(t, w.token(t, "slow", "s1")), w.dial(t, w.token(t, "quick", "s2"))
	for _, ws := range []*websocket.Conn{slow, quick} {
		if frame, err := next(t, ws); err != nil || !strings.Contains(frame, `"id":"r1"`) {
			t.Fatalf("%s, %v", frame, err)
		}
	}
	text := strings.Repeat("x", 4000)
	const n = 4000 // 16 MB: more than the kernel's buffers and the queue take
	for i := range n {
		publish(t, w.nc, contract.MessagePushed, "r1", contract.Message{RoomID: "r1", Seq: int64(i + 1), Content: contract.Content{Text: text}})
		if frame, err := next(t, quick); err != nil || !strings.Contains(frame, `"op":"message"`) {
			t.Fatalf("the quick one got %.60s, %v", frame, err)
		}
	}
	w.ended(t, endTooSlow, 1)
	if n := w.metric(t, "parley_gateway_connections"); n != 1 {
		t.Fatalf("%v connections are left", n)
	}
}

func TestSocket_caps(t *testing.T) {
	w := newWorld(t, func(cfg *Config) {
		cfg.MaxConns, cfg.MaxUserConns, cfg.MaxAddressConns, cfg.LimitLoopback = 4, 2, 3, true
	})
	ann := w.token(t, "ann", "s1")
	for range 2 {
		if frame, err := next(t, w.dial(t, ann)); err != nil || !strings.Contains(frame, `"ready"`) {
			t.Fatalf("%s, %v", frame, err)
		}
	}
	if code := closed(t, w.dial(t, ann)); code != contract.CloseTooFast {
		t.Fatalf("a third of the same user was closed with %d", code)
	}
	w.ended(t, endTooMany, 1)
	w.dial(t, "") // the place of the one that was refused
	_, response, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(w.url, "http")+socketPath, nil)
	if err == nil || response.StatusCode != http.StatusTooManyRequests {
		t.Fatalf("a fourth from the same address: %v", err)
	}
}

func TestSocket_frames_too_fast(t *testing.T) {
	w := newWorld(t, func(cfg *Config) { cfg.FramesPerSecond, cfg.FrameBurst = 1, 5 })
	ws := w.dial(t, w.token(t, "ann", "s1"))
	for range 10 {
		if ws.Write(t.Context(), websocket.MessageText, []byte(`{"id":"1","op":"ping"}`)) != nil {
			break
		}
	}
	if code := closed(t, ws); code != contract.CloseTooFast {
		t.Fatalf("closed with %d", code)
	}
	w.ended(t, endTooFast, 1)
}

// Who leaves, or never makes sense, shows too.
func TestSocket_ends_are_counted(t *testing.T) {
	w := newWorld(t, nil)
	if err := w.dial(t, "").Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Fatal(err)
	}
	w.ended(t, endClient, 1)
	if err := w.dial(t, "").CloseNow(); err != nil {
		t.Fatal(err)
	}
	w.ended(t, endLost, 1)
	ws := w.dial(t, "")
	for range 25 {
		if ws.Write(t.Context(), websocket.MessageText, []byte("nonsense")) != nil {
			break
		}
	}
	if code := closed(t, ws); code != contract.CloseTooFast {
		t.Fatalf("closed with %d", code)
	}
	w.ended(t, endBadFrames, 1)
}

func TestSocket_calls_are_limited_per_user(t *testing.T) {
	w := newWorld(t, func(cfg *Config) { cfg.CallsPerSecond, cfg.CallBurst = 0.1, 5 })
	ws := w.dial(t, w.token(t, "ann", "s1"))
	if _, err := next(t, ws); err != nil {
		t.Fatal(err)
	}
	var last string
	for range 8 {
		if err := ws.Write(t.Context(), websocket.MessageText, []byte(`{"id":"1","op":"read.set","data":{"room_id":"r1","seq":1}}`)); err != nil {
			t.Fatal(err)
		}
		var err error
		if last, err = next(t, ws); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(last, `"code":"resource_exhausted"`) || !strings.Contains(last, "retry_after_ms") {
		t.Fatalf("the eighth was answered %s", last)
	}
}
