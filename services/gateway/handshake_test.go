package gateway

import "testing"

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
