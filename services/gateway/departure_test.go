package gateway

import (
	"encoding/json"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/token"
)

// draining reads frames until the client is told to leave, and returns when.
func draining(t *testing.T, ws *websocket.Conn) time.Duration {
	t.Helper()
	for {
		text, err := next(t, ws)
		if err != nil {
			t.Fatal(err)
		}
		var push contract.PushFrame[contract.DrainingData]
		if err := json.Unmarshal([]byte(text), &push); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if push.Op == contract.OpServerDraining {
			return time.Duration(push.Data.ReconnectAfterMS) * time.Millisecond
		}
	}
}

// stopping begins to stop the gateway; wait is for its end.
func (w *world) stopping(t *testing.T) (wait func()) {
	t.Helper()
	stopped := make(chan error, 1)
	go func() { stopped <- w.stop() }() // ends with the gateway
	eventually(t, "it is not ready", func() bool { return w.tel.Health.Ready(t.Context()) != nil })
	return func() {
		t.Helper()
		select {
		case err := <-stopped:
			if err != nil {
				t.Fatal(err)
			}
		case <-time.After(30 * time.Second):
			t.Fatal("the gateway does not stop")
		}
	}
}

func TestDrain_tells_everyone_and_closes(t *testing.T) {
	w := newWorld(t, func(cfg *Config) { cfg.DrainTime = 500 * time.Millisecond })
	sockets := make([]*websocket.Conn, 5)
	for i := range sockets {
		sockets[i] = w.dial(t, w.token(t, "ann", "s1"))
		if _, err := next(t, sockets[i]); err != nil {
			t.Fatal(err)
		}
	}
	wait := w.stopping(t)
	for _, ws := range sockets {
		draining(t, ws)
		if code := closed(t, ws); code != contract.CloseServiceRestart {
			t.Fatalf("closed with %d", code)
		}
	}
	wait()
	w.ended(t, endDrained, 5)
}

// While a gateway drains it takes nobody in, and serves who is there.
func TestDrain_spreads_and_serves(t *testing.T) {
	const n, hour = 20, time.Hour
	w := newWorld(t, func(cfg *Config) { cfg.DrainTime = hour })
	sockets := make([]*websocket.Conn, n)
	for i := range sockets {
		sockets[i] = w.dial(t, w.token(t, "ann", "s1"))
		if _, err := next(t, sockets[i]); err != nil {
			t.Fatal(err)
		}
	}
	early := w.dial(t, "") // not authenticated yet
	eventually(t, "all are connected", func() bool { return w.metric(t, "parley_gateway_connections") == n+1 })
	wait := w.stopping(t)
	var delays []time.Duration
	for _, ws := range sockets {
		delays = append(delays, draining(t, ws))
	}
	if first, last := slices.Min(delays), slices.Max(delays); first < 0 || first > hour/2 || last < hour/2 || last > hour {
		t.Fatalf("from %v to %v", first, last) // by chance in one of 500,000 runs
	}

	for _, ws := range sockets {
		if err := ws.Write(t.Context(), websocket.MessageText, []byte(`{"id":"1","op":"ping"}`)); err != nil {
			t.Fatal(err)
		}
		if text, err := next(t, ws); err != nil || text != `{"id":"1","op":"ok","data":{}}` {
			t.Fatalf("%s, %v", text, err)
		}
	}
	_, response, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(w.url, "http")+socketPath, nil)
	if err == nil || response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" {
		t.Fatalf("a new socket: %v, %+v", err, response)
	}
	if status, _, body := w.do(t, "GET", "/.well-known/jwks.json", ""); status != http.StatusOK {
		t.Fatalf("a request: %d %s", status, body)
	}

	// Who was let in before may finish, and hears of it then.
	auth := `{"id":"a","op":"auth","data":{"token":"` + w.token(t, "bob", "s2") + `"}}`
	if err := early.Write(t.Context(), websocket.MessageText, []byte(auth)); err != nil {
		t.Fatal(err)
	}
	if text, err := next(t, early); err != nil || !strings.HasPrefix(text, `{"id":"a","op":"ok"`) {
		t.Fatalf("%s, %v", text, err)
	}
	draining(t, early)

	// Nobody is waited for who has gone.
	_ = early.CloseNow()
	for _, ws := range sockets {
		_ = ws.CloseNow()
	}
	wait()
}

// A proxy that keeps connections open must send the next request elsewhere.
func TestDrain_keeps_no_connection(t *testing.T) {
	w := newWorld(t, func(cfg *Config) { cfg.DrainTime = 20 * time.Second })
	closes := func() bool {
		response, err := http.Get(w.url + "/.well-known/jwks.json")
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Fatalf("status %d", response.StatusCode)
		}
		return response.Close
	}
	ws := w.dial(t, w.token(t, "ann", "s1")) // keeps the gateway from ending
	if _, err := next(t, ws); err != nil {
		t.Fatal(err)
	}
	if closes() {
		t.Fatal("a connection is closed while the gateway serves")
	}
	wait := w.stopping(t)
	eventually(t, "an answer closes its connection", closes)
	_ = ws.CloseNow()
	wait()
}

// Nobody holds a drain up: who reads nothing, who answers no close frame, who
// never authenticates.
func TestDrain_cuts_who_would_not_leave(t *testing.T) {
	w := newWorld(t, func(cfg *Config) {
		cfg.DrainTime, cfg.WriteTimeout, cfg.AuthTimeout, cfg.QueueBytes = 10*time.Millisecond, time.Hour, time.Hour, 64<<20
	})
	w.in("deaf", "r1")
	readUntil(t, w.dialRaw(t, w.token(t, "deaf", "s1")), `"id":"r1"`)
	readUntil(t, w.dialRaw(t, w.token(t, "mute", "s2")), `"op":"ready"`)
	readUntil(t, w.dialRaw(t, ""), "101 Switching Protocols")
	eventually(t, "all are connected", func() bool { return w.metric(t, "parley_gateway_connections") == 3 })
	text := strings.Repeat("x", 4000)
	for i := range 4000 { // 16 MB: more than the kernel's buffers take
		publish(t, w.nc, contract.MessagePushed, "r1", contract.Message{RoomID: "r1", Seq: int64(i + 1), Content: contract.Content{Text: text}})
	}
	w.stopping(t)()
	w.ended(t, endDrained, 3)
}

// Each write to someone who reads a little now and then is in time; an ended
// connection does not wait for all of them.
func TestSweep_cuts_who_takes_in_too_slowly_what_is_left(t *testing.T) {
	w := newWorld(t, func(cfg *Config) { cfg.WriteTimeout, cfg.QueueBytes = 4*time.Second, 64<<20 })
	w.signer = token.NewSigner(w.key, 3*time.Second, time.Now)
	w.in("ann", "r1")
	conn := w.dialRaw(t, w.token(t, "ann", "s1"))
	_ = conn.(*net.TCPConn).SetReadBuffer(64 << 10) // else a large window opens seldom
	readUntil(t, conn, `"id":"r1"`)
	const n, size = 10_000, 4000 // 40 MB: several times what the kernel's buffers take
	text := strings.Repeat("x", size)
	for i := range n {
		publish(t, w.nc, contract.MessagePushed, "r1", contract.Message{RoomID: "r1", Seq: int64(i + 1), Content: contract.Content{Text: text}})
	}
	got, buf := 0, make([]byte, 64<<10)
	_ = conn.SetReadDeadline(time.Now().Add(60 * time.Second))
	var err error
	for pause := time.NewTicker(25 * time.Millisecond); err == nil; {
		var read int
		read, err = conn.Read(buf)
		got += read
		if w.metric(t, "parley_gateway_closes_total", "4401", "expired") == 0 {
			<-pause.C
		}
	}
	w.ended(t, endExpired, 1)
	if got >= n*size {
		t.Fatal("all of it was waited for")
	}
}

// Whoever comes while the gateway stops is refused, or told to leave.
func TestDrain_race_with_who_comes(t *testing.T) {
	w := newWorld(t, func(cfg *Config) { cfg.DrainTime = 200 * time.Millisecond })
	raw := w.token(t, "ann", "s1")
	var clients sync.WaitGroup
	begun := make(chan struct{}, 100)
	for range 8 {
		clients.Go(func() { // ends when it is refused
			for {
				ws, _, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(w.url, "http")+socketPath,
					&websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + raw}}})
				if err != nil {
					return
				}
				begun <- struct{}{}
				if code := closed(t, ws); code != contract.CloseServiceRestart {
					t.Errorf("closed with %d", code)
				}
			}
		})
	}
	<-begun
	wait := w.stopping(t)
	clients.Wait()
	wait()
}

// told returns when the connection was told to leave, after now, if it was
// since the last call.
func told(t *testing.T, c *conn) (after time.Duration, was bool) {
	t.Helper()
	for _, o := range drain(c) {
		var push contract.PushFrame[contract.DrainingData]
		if o.wire[0] != wireText {
			continue
		}
		if err := json.Unmarshal([]byte(text(o)), &push); err == nil && push.Op == contract.OpServerDraining {
			if was {
				t.Fatal("told twice")
			}
			after, was = time.Duration(push.Data.ReconnectAfterMS)*time.Millisecond, true
		}
	}
	return after, was
}

func TestSweep_sends_the_old_away(t *testing.T) {
	cfg := SocketConfig{
		MaxConnAge: time.Hour, DrainTime: 10 * time.Second, MaxConns: 1000, MaxUserConns: 1000,
		Heartbeat: 25 * time.Second, AuthTimeout: 10 * time.Second, QueueBytes: 1 << 20,
	}
	log := slog.New(slog.DiscardHandler)
	r := newRegistry(cfg, time.Now, prometheus.NewRegistry(), log)
	opened := time.Now()
	crowd := map[*conn]bool{} // those who were not told
	for range 1000 {
		c := unwritten(newConn("c", nowhere(t), nil, "", &cfg, log, opened))
		if err := r.add(c); err != nil {
			t.Fatal(err)
		}
		if err := r.identify(c, token.Claims{UserID: "ann", SessionID: "s", ExpiresAt: opened.Add(24 * time.Hour)}); err != nil {
			t.Fatal(err)
		}
		c.queue.release(frame("ready"))
		crowd[c] = true
	}
	sweep := func(at time.Duration) (now []*conn) {
		for c := range r.conns {
			c.hear(opened.Add(at)) // its clients live
		}
		r.sweep(opened.Add(at))
		for c := range crowd {
			if _, was := told(t, c); was {
				now = append(now, c)
				delete(crowd, c)
			}
		}
		return now
	}
	if early := sweep(54*time.Minute - time.Second); len(early) > 0 {
		t.Fatalf("%d are sent away too early", len(early))
	}
	first := sweep(time.Hour)
	if len(first) < 300 || len(first) > 700 {
		t.Fatalf("%d of 1000 are sent away in the first half", len(first))
	}
	one := first[0]
	if one.queue.ending() != nil || one.leaves.Before(opened.Add(time.Hour)) || one.leaves.After(opened.Add(time.Hour+cfg.DrainTime)) {
		t.Fatalf("leaves at %v, %v after it opened", one.leaves, one.leaves.Sub(opened))
	}
	r.sweep(one.leaves.Add(-time.Millisecond))
	if one.queue.ending() != nil {
		t.Fatal("it is closed before the time that it was told")
	}
	r.sweep(one.leaves)
	if _, was := told(t, one); was || one.queue.ending() != endAged {
		t.Fatalf("told again: %v; it ends with %v", was, one.queue.ending())
	}
	for c := range maps.Clone(r.conns) {
		if c.queue.ending() != nil {
			r.remove(c) // as its handler does
		}
	}
	sweep(66 * time.Minute)
	if len(crowd) > 0 {
		t.Fatalf("%d stay for ever", len(crowd))
	}
}

func TestSweep_age_is_off_by_default(t *testing.T) {
	if at := retirement(time.Now(), 0); !at.IsZero() {
		t.Fatalf("retires at %v", at)
	}
}

// An old connection is sent away, a new one is welcome.
func TestSocket_age(t *testing.T) {
	w := newWorld(t, func(cfg *Config) { cfg.MaxConnAge, cfg.DrainTime = time.Second, 100*time.Millisecond })
	for i := range 2 {
		ws := w.dial(t, w.token(t, "ann", "s1"))
		draining(t, ws)
		if code := closed(t, ws); code != contract.CloseServiceRestart {
			t.Fatalf("closed with %d", code)
		}
		w.ended(t, endAged, float64(i+1))
	}
	if err := w.tel.Health.Ready(t.Context()); err != nil {
		t.Fatalf("not ready: %v", err)
	}
}

// Who was told already keeps that moment when the gateway stops, too.
func TestDrain_tells_nobody_twice(t *testing.T) {
	w := newWorld(t, func(cfg *Config) { cfg.MaxConnAge, cfg.DrainTime = time.Second, time.Hour })
	ws := w.dial(t, w.token(t, "ann", "s1"))
	draining(t, ws)
	wait := w.stopping(t)
	if err := ws.Write(t.Context(), websocket.MessageText, []byte(`{"id":"1","op":"ping"}`)); err != nil {
		t.Fatal(err)
	}
	if text, err := next(t, ws); err != nil || !strings.Contains(text, `"op":"ok"`) {
		t.Fatalf("%s, %v", text, err)
	}
	_ = ws.CloseNow()
	wait()
}
