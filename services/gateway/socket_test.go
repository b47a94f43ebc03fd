package gateway

import (
	"fmt"
	"io"
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
}

// The ready frame lists every room, though chat tells them page by page.
func TestSocket_ready_lists_the_rooms_of_all_pages(t *testing.T) {
	w := newWorld(t, nil)
	var rooms []string
	for i := range 3*headsOnPage + 1 {
		rooms = append(rooms, fmt.Sprintf("room-%02d", i))
	}
	w.in("ann", rooms...)
	ws := w.dial(t, w.token(t, "ann", "s1"))
	frame, err := next(t, ws)
	if err != nil {
		t.Fatal(err)
	}
	ready, err := contract.Ready.Decode([]byte(frame))
	if err != nil || len(ready.Rooms) != len(rooms) {
		t.Fatalf("ready lists %d of %d rooms, %v", len(ready.Rooms), len(rooms), err)
	}
	for i, room := range ready.Rooms {
		if room.ID != rooms[i] {
			t.Errorf("%s is listed where %s should be", room.ID, rooms[i])
		}
	}
}

// A peer that is silent for two heartbeats is gone, whatever else holds; one
// that sends anything lives.
func TestSocket_half_open(t *testing.T) {
	w := newWorld(t, func(cfg *Config) {
		cfg.Heartbeat, cfg.AuthTimeout, cfg.WriteTimeout, cfg.QueueBytes = 2*time.Second, time.Hour, time.Hour, 64<<20
	})
	w.in("deaf", "r1")
	lives := map[string]net.Conn{} // by what each is answered
	for answer, frame := range map[string][]byte{
		`"op":"ok"`: rawFrame(websocket.MessageText, `{"id":"1","op":"ping"}`),
		"hello":     rawFrame(opPing, "hello"),
	} {
		conn := w.dialRaw(t, w.token(t, "ann", "s1"))
		lives[answer] = conn
		readUntil(t, conn, `"op":"ready"`)
		live := time.NewTicker(500 * time.Millisecond)
		done := make(chan struct{})
		go func() { // ends with the test
			defer close(done)
			for range live.C {
				if _, err := conn.Write(frame); err != nil || t.Context().Err() != nil {
					return
				}
			}
		}()
		t.Cleanup(func() { <-done })
	}
	mute := w.dialRaw(t, w.token(t, "mute", "s2"))
	readUntil(t, mute, `"op":"ready"`)
	w.dialRaw(t, "") // never authenticates
	// To this one nothing can be written either: the writer is stuck.
	readUntil(t, w.dialRaw(t, w.token(t, "deaf", "s3")), `"id":"r1"`)
	text := strings.Repeat("x", 4000)
	for i := range 4000 { // 16 MB: more than the kernel's buffers take
		publish(t, w.nc, contract.MessagePushed, "r1", contract.Message{RoomID: "r1", Seq: int64(i + 1), Content: contract.Content{Text: text}})
	}
	readUntil(t, mute, "silent for two heartbeats") // what it is told
	for answer, conn := range lives {
		readTimes(t, conn, answer, 12) // one every half second: three heartbeats
	}
	w.ended(t, endIdle, 3)
	if n := w.metric(t, "parley_gateway_connections"); n != 2 {
		t.Fatalf("%v of 2 live", n)
	}
}

// Who never authenticates and never answers the close frame is gone, too.
func TestSocket_half_open_before_authentication(t *testing.T) {
	w := newWorld(t, func(cfg *Config) { cfg.AuthTimeout, cfg.Heartbeat = time.Second, time.Hour })
	conn := w.dialRaw(t, "")
	readUntil(t, conn, "101 Switching Protocols")
	w.ended(t, endUnauthenticated, 1)
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.Copy(io.Discard, conn); err != nil {
		t.Fatalf("the socket is not closed: %v", err)
	}
}

// A client's own pings are answered, and count as frames.
func TestSocket_pings_of_the_client(t *testing.T) {
	w := newWorld(t, func(cfg *Config) { cfg.FramesPerSecond, cfg.FrameBurst = 1, 5 })
	conn := w.dialRaw(t, w.token(t, "ann", "s1"))
	readUntil(t, conn, `"op":"ready"`)
	for range 20 {
		if _, err := conn.Write(rawFrame(opPing, "hello")); err != nil {
			break
		}
	}
	readUntil(t, conn, "\x8a\x05hello")
	w.ended(t, endTooFast, 1)
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

// refused opens a socket in vain, and returns how HTTP answered.
func refused(t *testing.T, w *world, raw string) *http.Response {
	t.Helper()
	header := http.Header{}
	if raw != "" {
		header.Set("Authorization", "Bearer "+raw)
	}
	_, response, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(w.url, "http")+socketPath, &websocket.DialOptions{HTTPHeader: header})
	if err == nil || response == nil {
		t.Fatalf("not refused: %v", err)
	}
	if response.Header.Get("Retry-After") == "" || response.Header.Get("Content-Type") != "application/problem+json" {
		t.Fatalf("%d with %v", response.StatusCode, response.Header)
	}
	return response
}

func TestSocket_cap_per_user(t *testing.T) {
	w := newWorld(t, func(cfg *Config) { cfg.MaxUserConns = 2 })
	ann := w.token(t, "ann", "s1")
	for range 2 {
		if frame, err := next(t, w.dial(t, ann)); err != nil || !strings.Contains(frame, `"ready"`) {
			t.Fatalf("%s, %v", frame, err)
		}
	}
	if response := refused(t, w, ann); response.StatusCode != http.StatusTooManyRequests {
		t.Fatalf("a third by header: %d", response.StatusCode)
	}
	ws := w.dial(t, "")
	if err := ws.Write(t.Context(), websocket.MessageText, []byte(`{"id":"1","op":"auth","data":{"token":"`+ann+`"}}`)); err != nil {
		t.Fatal(err)
	}
	frame, err := next(t, ws)
	if err != nil || !strings.Contains(frame, `"code":"resource_exhausted"`) || !strings.Contains(frame, `"retry_after_ms":`) {
		t.Fatalf("a third by frame: %s, %v", frame, err)
	}
	if code := closed(t, ws); code != contract.CloseTooFast {
		t.Fatalf("closed with %d", code)
	}
	w.ended(t, endTooMany, 1)
	if frame, err := next(t, w.dial(t, w.token(t, "bob", "s2"))); err != nil || !strings.Contains(frame, `"ready"`) {
		t.Fatalf("someone else: %s, %v", frame, err)
	}
}

func TestSocket_cap_per_address(t *testing.T) {
	w := newWorld(t, func(cfg *Config) { cfg.MaxAddressConns, cfg.LimitLoopback = 2, true })
	first := w.dial(t, "")
	w.dial(t, "")
	eventually(t, "two are connected", func() bool { return w.metric(t, "parley_gateway_connections") == 2 })
	if response := refused(t, w, ""); response.StatusCode != http.StatusTooManyRequests {
		t.Fatalf("a third: %d", response.StatusCode)
	}
	_ = first.CloseNow()
	w.ended(t, endLost, 1)
	w.dial(t, "")
}

func TestSocket_cap_in_all(t *testing.T) {
	w := newWorld(t, func(cfg *Config) { cfg.MaxConns = 2 })
	w.dial(t, "")
	w.dial(t, "")
	eventually(t, "two are connected", func() bool { return w.metric(t, "parley_gateway_connections") == 2 })
	if response := refused(t, w, w.token(t, "ann", "s1")); response.StatusCode != http.StatusServiceUnavailable {
		t.Fatalf("a third: %d", response.StatusCode)
	}
	if err := w.tel.Health.Ready(t.Context()); err != nil {
		t.Fatalf("not ready: %v", err) // else those who only make requests would be sent away, too
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
