package gateway

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// A Close without a code is answered by one without a code.
func TestReader_empty_close(t *testing.T) {
	w := newWorld(t, nil)
	conn := w.dialRaw(t, w.token(t, "ann", "s1"))
	readUntil(t, conn, `"op":"ready"`)
	if _, err := conn.Write(rawFrame(opClose, "")); err != nil {
		t.Fatal(err)
	}
	readUntil(t, conn, "\x88\x00")
}

// Proxies add a line of their own.
func TestSocket_Connection_in_two_lines(t *testing.T) {
	w := newWorld(t, nil)
	for _, lines := range []string{
		"Connection: keep-alive\r\nConnection: Upgrade", "Connection: Upgrade\r\nConnection: keep-alive",
		"connection: keep-alive, x\r\nConnection: x\r\nCONNECTION: upgrade",
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\n%s\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
			"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", socketPath, lines); err != nil {
			t.Fatal(err)
		}
		answer, err := bufio.NewReader(conn).ReadString('\n')
		if err != nil || !strings.HasPrefix(answer, "HTTP/1.1 101") {
			t.Errorf("%q is answered %q, %v", lines, answer, err)
		}
	}
}

// A handshake of another version is told ours, and a key has 16 bytes.
func TestSocket_handshake(t *testing.T) {
	w := newWorld(t, nil)
	for name, c := range map[string]struct {
		version, key string
		status       int
	}{
		"an older version": {"8", "dGhlIHNhbXBsZSBub25jZQ==", 426},
		"a short key":      {"13", "c2hvcnQ=", 400},
		"no base64":        {"13", "the sample nonce", 400},
	} {
		t.Run(name, func(t *testing.T) {
			status, header, body := w.do(t, "GET", socketPath, "", "Connection", "Upgrade", "Upgrade", "websocket",
				"Sec-WebSocket-Version", c.version, "Sec-WebSocket-Key", c.key)
			if status != c.status || (status == 426) != (header.Get("Sec-WebSocket-Version") == "13") {
				t.Fatalf("%d %v %s", status, header, body)
			}
		})
	}
}
