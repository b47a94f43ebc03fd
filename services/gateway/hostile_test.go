package gateway

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/fault"
)

// healthy holds that the gateway still does for others what it is for, and
// that nothing of what came before is left.
func (w *world) healthy(t *testing.T) {
	t.Helper()
	raw := w.token(t, "healthy", "s-healthy")
	status, _, body := w.do(t, "POST", "/api/v1/rooms/r1/messages", message(""), "Authorization", "Bearer "+raw)
	if status != http.StatusCreated {
		t.Fatalf("a message over HTTP: %d %s", status, body)
	}
	ws := w.dial(t, raw)
	if frame, err := next(t, ws); err != nil || !strings.Contains(frame, `"op":"ready"`) {
		t.Fatalf("a WebSocket: %s, %v", frame, err)
	}
	_ = ws.CloseNow()
	if err := w.tel.Health.Ready(t.Context()); err != nil {
		t.Fatalf("readiness: %v", err)
	}
	eventually(t, "all sockets have gone", func() bool { return w.metric(t, "parley_gateway_connections") == 0 })
}

// message is a body that sends, with more in it.
func message(more string) string {
	return `{"client_id":"c","type":"text","content":{"text":"x"}` + more + `}`
}

// padded is a body that sends, of so many bytes.
func padded(size int) string {
	return message(`,"pad":"` + strings.Repeat("a", size-len(message(`,"pad":""`))) + `"`)
}

// TestHostile_bodies sends what no client of ours does. Each has one answer.
func TestHostile_bodies(t *testing.T) {
	w := newWorld(t, nil)
	bearer := "Bearer " + w.token(t, "ann", "s1")
	nested := func(n int, left, right string) string {
		return strings.Repeat(left, n) + "1" + strings.Repeat(right, n)
	}
	for name, c := range map[string]struct {
		body   string
		status int
		field  string
	}{
		"an object in thirty others":     {message(`,"x":` + nested(30, `{"a":`, `}`)), 201, ""},
		"an object in a hundred others":  {message(`,"x":` + nested(100, `{"a":`, `}`)), 400, ""},
		"a list in ten thousand others":  {message(`,"x":` + nested(10_000, `[`, `]`)), 400, ""},
		"brackets that are not closed":   {strings.Repeat("[", 65_000), 400, ""},
		"braces that are not closed":     {strings.Repeat(`{"a":`, 13_000), 400, ""},
		"a number too large, not ours":   {message(`,"x":1e999999999`), 201, ""},
		"a number of 60,000 digits":      {message(`,"x":` + strings.Repeat("9", 60_000)), 201, ""},
		"a number for a text":            {`{"client_id":"c","type":"text","content":{"text":1e400}}`, 400, "content.text"},
		"a list for a text":              {`{"client_id":["c"],"type":"text","content":{"text":"x"}}`, 400, "client_id"},
		"a name twice":                   {message(`,"client_id":"d"`), 400, "client_id"},
		"a name twice, in another case":  {message(`,"Client_ID":"d"`), 400, "Client_ID"},
		"a name twice, deeper":           {`{"client_id":"c","type":"text","content":{"text":"x","text":"y"}}`, 400, "content.text"},
		"a name twice, by an escape":     {message(`,"client\u005fid":"d"`), 400, "client_id"},
		"not UTF-8":                      {message(",\"x\":\"\xc3\x28\""), 400, ""},
		"an overlong slash":              {message(",\"x\":\"\xc0\xaf\""), 400, ""},
		"a surrogate in UTF-8":           {message(",\"x\":\"\xed\xa0\x80\""), 400, ""},
		"half a surrogate pair, escaped": {message(`,"x":"\ud800"`), 400, "x"},
		"a name by Unicode folding":      {`{"client_id":"c","type":"text","content":{"text":"x"},"clıent_id":"d"}`, 201, ""}, // is another name
		"a control character":            {message(",\"x\":\"\x01\""), 400, ""},
		"NUL behind the object":          {message("") + "\x00", 400, ""},
		"a byte order mark":              {"\ufeff" + message(""), 400, ""},
		"two objects":                    {message("") + message(""), 400, ""},
		"white space only":               {" \t\r\n", 400, ""},
		"null":                           {"null", 400, ""},
		"a comment":                      {message("") + "//", 400, ""},
		"NaN":                            {message(`,"x":NaN`), 400, ""},
		"64 KiB less one byte":           {padded(65535), 201, ""},
		"64 KiB":                         {padded(65536), 201, ""},
		"64 KiB and one byte":            {padded(65537), 413, ""},
		"a megabyte":                     {padded(1 << 20), 413, ""},
	} {
		t.Run(name, func(t *testing.T) {
			status, _, body := w.do(t, "POST", "/api/v1/rooms/r1/messages", c.body, "Authorization", bearer)
			checkAnswer(t, status, body, c.status, c.field)
		})
	}
	for name, header := range map[string][]string{
		"gzip":            {"Content-Encoding", "gzip"},
		"another type":    {"Content-Type", "text/plain"},
		"a form":          {"Content-Type", "application/x-www-form-urlencoded"},
		"another charset": {"Content-Type", "application/json; charset=utf-16"},
		"no type":         {"Content-Type", " "},
	} {
		t.Run(name, func(t *testing.T) {
			status, _, body := w.do(t, "POST", "/api/v1/rooms/r1/messages", message(""), append([]string{"Authorization", bearer}, header...)...)
			checkAnswer(t, status, body, 400, "")
		})
	}
	for name, seq := range map[string]string{
		"a seq beyond 64 bits": "9223372036854775808", "a seq with a fraction": "1.5", "a seq with an exponent": "1e400", "a seq of text": `"1"`,
	} {
		t.Run(name, func(t *testing.T) {
			status, _, body := w.do(t, "PUT", "/api/v1/rooms/r1/read", `{"seq":`+seq+`}`, "Authorization", bearer)
			checkAnswer(t, status, body, 400, "seq")
		})
	}
	w.healthy(t)
}

// checkAnswer compares the status, and holds that a refusal is a problem that
// names its field and repeats nothing of what was sent.
func checkAnswer(t *testing.T, status int, body string, want int, field string) {
	t.Helper()
	if status != want {
		t.Fatalf("%d, not %d: %.200s", status, want, body)
	}
	if want < 400 {
		return
	}
	var p problem
	if err := json.Unmarshal([]byte(body), &p); err != nil || p.Status != want || !p.Code.Known() || p.Code == fault.Internal || len(body) > 1000 {
		t.Fatalf("not a problem: %.300s", body)
	}
	if field != "" && (len(p.Errors) != 1 || p.Errors[0].Field != field) {
		t.Fatalf("errors %+v, not one on %s", p.Errors, field)
	}
}

// TestHostile_ids puts what NATS would understand in the place of ids.
func TestHostile_ids(t *testing.T) {
	w := newWorld(t, nil)
	bearer := "Bearer " + w.token(t, "ann", "s1")
	ws := w.dial(t, w.token(t, "ann", "s1"))
	if _, err := next(t, ws); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{
		"%3E", "*", "a.b", "a.*", ".", "%20", "a%20b", "a%09b", "%00", "a%0D%0Ab", "%2e%2e%2f", "%25", "%F0%9F%98%80", "a%22", "$SRV", "_INBOX.x",
		strings.Repeat("a", 65),
	} {
		for _, path := range []string{
			"GET /users/{}", "DELETE /friends/{}", "GET /rooms/{}", "DELETE /rooms/{}", "GET /rooms/{}/members", "GET /rooms/{}/messages",
			"DELETE /rooms/r1/members/{}", "DELETE /rooms/{}/messages/1", "DELETE /rooms/r1/messages/{}", "DELETE /auth/sessions/{}",
		} {
			method, path, _ := strings.Cut(path, " ")
			status, _, body := w.do(t, method, "/api/v1"+strings.ReplaceAll(path, "{}", id), "", "Authorization", bearer)
			if status != http.StatusNotFound {
				t.Errorf("%s %s of %s: %d %s", method, path, id, status, body)
			}
		}
		room, err := json.Marshal(strings.NewReplacer("%3E", ">", "%20", " ", "%09", "\t", "%00", "\x00", "%0D%0A", "\r\n").Replace(id))
		if err != nil {
			t.Fatal(err)
		}
		frame := exchange(t, ws, fmt.Sprintf(`{"id":"1","op":"read.set","data":{"room_id":%s,"seq":1}}`, room))
		if !strings.Contains(frame, `"code":"not_found"`) {
			t.Errorf("room %s by frame: %s", room, frame)
		}
	}
	_ = ws.CloseNow()
	w.healthy(t)
}

// rawRequest sends bytes as they are and returns the status that is answered,
// and whether the connection is closed then; 0 is no answer.
func (w *world) rawRequest(t *testing.T, request string) (status int, closed bool) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, request); err != nil {
		t.Logf("write: %v", err) // it may have been refused before its end
	}
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		return 0, true
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond)) // a second answer would come at once
	_, err = reader.ReadByte()
	var network net.Error
	return response.StatusCode, err != nil && (!errors.As(err, &network) || !network.Timeout())
}

// TestHostile_headers: what is no HTTP is refused, and nothing that follows it
// is taken for another request.
func TestHostile_headers(t *testing.T) {
	w := newWorld(t, nil)
	const get = "GET / HTTP/1.1\r\nHost: x\r\n"
	const post = "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
	const smuggled = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
	for name, c := range map[string]struct {
		request string
		status  int
		closed  bool
	}{
		"one that is right":            {get + "\r\n", 200, false},
		"a header of 5 KB":             {get + "X: " + strings.Repeat("a", 5000) + "\r\n\r\n", 431, true},
		"a path of 5 KB":               {"GET /" + strings.Repeat("a", 5000) + " HTTP/1.1\r\nHost: x\r\n\r\n", 431, true},
		"a thousand headers":           {get + strings.Repeat("X: y\r\n", 1000) + "\r\n", 431, true},
		"no HTTP":                      {"hello\r\n\r\n", 400, true},
		"a NUL in a header":            {get + "X: \x00\r\n\r\n", 400, true},
		"a name with a space":          {get + "X : y\r\n\r\n", 400, true},
		"a length and chunks":          {post + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled, 400, true},
		"two lengths":                  {post + "Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}" + smuggled, 400, true},
		"a length that is negative":    {post + "Content-Length: -1\r\n\r\n{}", 400, true},
		"a length that is no number":   {post + "Content-Length: 2x\r\n\r\n{}", 400, true},
		"a length of a petabyte":       {post + "Content-Length: 1125899906842624\r\n\r\n{}", 413, true},
		"chunks beyond the limit":      {post + "Transfer-Encoding: chunked\r\n\r\nfffff\r\n" + strings.Repeat("a", 70_000), 413, true},
		"a chunk of a size that wraps": {post + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n", 400, true},
		"an encoding that is unknown":  {post + "Transfer-Encoding: gzip\r\n\r\n{}" + smuggled, 400, true},
	} {
		t.Run(name, func(t *testing.T) {
			status, closed := w.rawRequest(t, c.request)
			if status != c.status || closed != c.closed {
				t.Errorf("%d, closed %v; not %d, %v", status, closed, c.status, c.closed)
			}
		})
	}
	w.healthy(t)
}

// TestHostile_slow_requests holds that who trickles a request is not waited for,
// however many there are.
func TestHostile_slow_requests(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.ReadTimeout, c.IdleTimeout, c.AuthTimeout = time.Second, time.Second, time.Second })
	const post = "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
	t.Run("all at once", func(t *testing.T) {
		for name, start := range map[string]string{
			"nothing": "", "a header": "GET / HTTP/1.1\r\nHost: x\r\nX: ", "a body": post,
			"a frame": "GET " + socketPath + " HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\x81\xfe\xff\xff\x00\x00\x00\x00",
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				var ended []chan struct{}
				for range 25 {
					ended = append(ended, w.trickle(t, start))
				}
				for _, done := range ended {
					select {
					case <-done:
					case <-time.After(30 * time.Second):
						t.Fatal("still open")
					}
				}
			})
		}
		t.Run("others meanwhile", func(t *testing.T) {
			t.Parallel()
			raw := w.token(t, "healthy", "s1")
			for range 20 {
				if status, _, body := w.do(t, "POST", "/api/v1/rooms/r1/messages", message(""), "Authorization", "Bearer "+raw); status != 201 {
					t.Fatalf("%d %s", status, body)
				}
			}
		})
	})
	w.healthy(t)
}

// trickle sends a beginning and then a byte now and then; the channel is
// closed when the gateway has closed.
func (w *world) trickle(t *testing.T, start string) chan struct{} {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := io.WriteString(conn, start); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { // ends when the gateway has closed, or the test with its connection
		defer close(done)
		_, _ = io.Copy(io.Discard, conn)
	}()
	if start == "" {
		return done
	}
	go func() { // likewise
		for {
			select {
			case <-done:
				return
			case <-time.After(100 * time.Millisecond):
				if _, err := conn.Write([]byte("a")); err != nil {
					return
				}
			}
		}
	}()
	return done
}
