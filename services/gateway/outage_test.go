package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/token"
)

func sendFrame(n int) string {
	return fmt.Sprintf(`{"id":"%d","op":"message.send","data":{"room_id":"r1","client_id":"c%d","type":"text","content":{"text":"hi"}}}`, n, n)
}

// NATS away: sockets stay, what they ask is unavailable, in order, and all is
// caught up when it is back.
func TestNATS_away(t *testing.T) {
	w := newWorld(t, func(cfg *Config) { cfg.CallTimeout = 200 * time.Millisecond })
	w.in("ann", "r1")
	ann := w.token(t, "ann", "s1")
	ws := w.dial(t, ann)
	if text, err := next(t, ws); err != nil || !strings.Contains(text, `"id":"r1"`) {
		t.Fatalf("%s, %v", text, err)
	}
	w.natsAway(t)
	const n = 10
	for i := range n { // without waiting for answers
		if err := ws.Write(t.Context(), websocket.MessageText, []byte(sendFrame(i))); err != nil {
			t.Fatal(err)
		}
	}
	for i := range n {
		text, err := next(t, ws)
		if err != nil {
			t.Fatal(err)
		}
		var reply struct {
			ID    string
			Error struct {
				Code         fault.Code
				RetryAfterMS int64 `json:"retry_after_ms"`
			}
		}
		if err := json.Unmarshal([]byte(text), &reply); err != nil || reply.ID != fmt.Sprint(i) || reply.Error.Code != fault.Unavailable || reply.Error.RetryAfterMS <= 0 {
			t.Fatalf("%d was answered %s, %v", i, text, err)
		}
	}
	if code := closed(t, w.dial(t, ann)); code != contract.CloseServiceRestart {
		t.Fatalf("a new socket was closed with %d", code)
	}
	w.ended(t, endUnavailable, 1)
	if w.tel.Health.Ready(t.Context()) == nil {
		t.Fatal("still ready")
	}

	w.mu.Lock()
	w.rooms["ann"][0].LastSeq = 7 // pushed while nobody heard
	w.mu.Unlock()
	w.natsBack(t)
	if text, err := next(t, ws); err != nil || text != `{"op":"room.head","data":{"room_id":"r1","last_seq":7}}` {
		t.Fatalf("%s, %v", text, err)
	}
	if err := ws.Write(t.Context(), websocket.MessageText, []byte(sendFrame(n))); err != nil {
		t.Fatal(err)
	}
	if text, err := next(t, ws); err != nil || !strings.Contains(text, `"op":"ok"`) {
		t.Fatalf("%s, %v", text, err)
	}
	publish(t, w.nc, contract.MessagePushed, "r1", contract.Message{RoomID: "r1", Seq: 8})
	if text, err := next(t, ws); err != nil || !strings.Contains(text, `"op":"message"`) {
		t.Fatalf("%s, %v", text, err)
	}
}

// What a client goes on sending during an outage stays in the kernel until it
// can send no more: the reader takes one frame at a time. It holds up no
// drain, although each frame would wait a minute.
func TestNATS_away_backlog_is_bounded_and_drains(t *testing.T) {
	w := newWorld(t, func(cfg *Config) { cfg.CallTimeout, cfg.DrainTime = time.Minute, 100*time.Millisecond })
	conn := w.dialRaw(t, w.token(t, "ann", "s1"))
	readUntil(t, conn, `"op":"ready"`)
	w.natsAway(t)
	var frames []byte
	for range 1000 {
		frames = append(frames, rawFrame(websocket.MessageText, sendFrame(1))...)
	}
	sent := 0
	for {
		_ = conn.SetWriteDeadline(time.Now().Add(time.Second))
		n, err := conn.Write(frames)
		sent += n
		var network net.Error
		if errors.As(err, &network) && network.Timeout() || errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if sent > 256<<20 {
			t.Fatal("256 MB were taken in")
		}
	}
	t.Logf("%d bytes were taken in", sent)
	w.stopping(t)()
	w.ended(t, endDrained, 1)
}

// A connection that was closed does not wait for its frame in hand.
func TestNATS_away_closed_is_closed(t *testing.T) {
	w := newWorld(t, func(cfg *Config) { cfg.CallTimeout = time.Hour })
	w.signer = token.NewSigner(w.key, 3*time.Second, time.Now)
	ws := w.dial(t, w.token(t, "ann", "s1"))
	if _, err := next(t, ws); err != nil {
		t.Fatal(err)
	}
	w.natsAway(t)
	if err := ws.Write(t.Context(), websocket.MessageText, []byte(sendFrame(1))); err != nil {
		t.Fatal(err)
	}
	if code := closed(t, ws); code != contract.CloseUnauthenticated {
		t.Fatalf("closed with %d", code)
	}
	w.ended(t, endExpired, 1)
}
