package gateway

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// What a client sends together with its request for the upgrade is not lost.
func TestReader_frames_sent_with_the_upgrade(t *testing.T) {
	w := newWorld(t, nil)
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	sent := "GET " + socketPath + " HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
		"Authorization: Bearer " + w.token(t, "ann", "s1") + "\r\n\r\n"
	for i := range 5 {
		sent += string(rawFrame(websocket.MessageText, fmt.Sprintf(`{"id":"early-%d","op":"ping"}`, i)))
	}
	if _, err := conn.Write([]byte(sent)); err != nil {
		t.Fatal(err)
	}
	readUntil(t, conn, `"id":"early-4"`)
}

// The reader of a silent connection gives its stack up, and answers when the
// client speaks again.
func TestReader_rests(t *testing.T) {
	w := newWorld(t, nil)
	conn := w.dialRaw(t, w.token(t, "ann", "s1"))
	readUntil(t, conn, `"op":"ready"`)
	for i := range 2 {
		eventually(t, "the reader to rest", func() bool { return resting() == 1 })
		frame := rawFrame(websocket.MessageText, fmt.Sprintf(`{"id":"%d","op":"ping"}`, i))
		for _, part := range [][]byte{rawFrame(opPong, ""), frame[:1], frame[1:9], frame[9:]} {
			if _, err := conn.Write(part); err != nil {
				t.Fatal(err)
			}
		}
		readUntil(t, conn, fmt.Sprintf(`"id":"%d"`, i))
	}
}

// resting is how many readers wait on the small stack of rest, and not from
// within converse.
func resting() (n int) {
	stacks := make([]byte, 4<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for stack := range strings.SplitSeq(string(stacks), "\n\n") {
		if strings.Contains(stack, "(*sockets).rest(") && !strings.Contains(stack, "(*sockets).converse(") {
			n++
		}
	}
	return n
}

func TestSource_holds_a_buffer_only_for_what_is_unread(t *testing.T) {
	server, client := socketPair(t)
	in := inbound{limit: 1000}
	in.open(server, nil)
	send := func(payload string) {
		t.Helper()
		if err := client.WriteMessage(1, []byte(payload)); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		send("hello")
		if err := in.fill(); err != nil {
			t.Fatal(err)
		}
		if _, payload, err := in.next(); string(payload) != "hello" || err != nil || in.buffer == nil {
			t.Fatalf("%q, %v, %v", payload, err, in.buffer == nil)
		}
		_ = server.SetReadDeadline(time.Now()) // nothing comes
		if err := in.fill(); err == nil || in.buffer != nil {
			t.Fatalf("%v; a buffer is held: %v", err, in.buffer != nil)
		}
		_ = server.SetReadDeadline(time.Time{})
	}
}

// Of a crowd each waits for its turn, and who has gone meanwhile has none.
func TestSockets_turns(t *testing.T) {
	s := &sockets{turns: make(chan struct{}, 1)}
	arrive := func() (*conn, net.Conn) {
		server, client := socketPair(t)
		return newConn("c", server, nil, "", &SocketConfig{FrameBytes: 1000}, quiet(), time.Now()), client.NetConn()
	}
	first, _ := arrive()
	end, err := s.turnOf(t.Context(), first)
	if err != nil {
		t.Fatal(err)
	}
	second, client := arrive()
	waits := make(chan error, 1)
	go func() { // ends when the first's turn does
		_, err := s.turnOf(t.Context(), second)
		waits <- err
	}()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.turnOf(ctx, first); err == nil {
		t.Fatal("a second turn at once")
	}
	_ = client.Close()
	eventually(t, "the second's end has come", func() bool { return second.inbound.look() != nil })
	end()
	if err := <-waits; err == nil || !strings.Contains(err.Error(), "gone") {
		t.Fatalf("who has gone got a turn: %v", err)
	}
	if _, err := s.turnOf(t.Context(), first); err != nil {
		t.Fatalf("the turn of who has gone is not free: %v", err)
	}
}
