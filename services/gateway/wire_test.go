package gateway

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
	"github.com/valyala/fasthttp"
)

// text is the payload of a frame, which is a short one or of two bytes' length.
func text(o *outgoing) string {
	switch n := o.wire[1]; n {
	case 126:
		return string(o.wire[4:])
	case 127:
		return string(o.wire[10:])
	default:
		return string(o.wire[2:])
	}
}

// socketPair connects a client of the library to a server that is handed over
// as ours are.
func socketPair(tb testing.TB) (server net.Conn, client *websocket.Conn) {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	served := make(chan net.Conn)
	upgrader := websocket.FastHTTPUpgrader{}
	srv := fasthttp.Server{KeepHijackedConns: true, Handler: func(ctx *fasthttp.RequestCtx) {
		_ = upgrader.Upgrade(ctx, func(ws *websocket.Conn) {
			nc, _ := takeOver(ws.NetConn())
			served <- nc
		})
	}}
	go func() { _ = srv.Serve(listener) }() // ends with the listener
	client, response, err := websocket.DefaultDialer.Dial("ws://"+listener.Addr().String(), nil)
	if err != nil {
		tb.Fatal(err)
	}
	_ = response.Body.Close()
	server = <-served
	tb.Cleanup(func() { _, _, _ = client.Close(), server.Close(), listener.Close() })
	return server, client
}

// writing returns a connection to the client whose writer runs until the test
// ends.
func writing(tb testing.TB) (*conn, *websocket.Conn) {
	tb.Helper()
	server, client := socketPair(tb)
	c := newConn("c", server, nil, "", &SocketConfig{QueueBytes: 1 << 30, WriteTimeout: 10 * time.Second}, quiet(), time.Now())
	c.startIf(c.queue.release(&outgoing{wire: wireFrame(wireText, nil)}))
	tb.Cleanup(func() { c.abandon(endFailed); c.queue.join() })
	if _, _, err := client.ReadMessage(); err != nil { // the first frame
		tb.Fatal(err)
	}
	return c, client
}

// Another implementation reads what we write, alone and together, at the
// lengths where the header changes.
func TestConn_writes_frames(t *testing.T) {
	c, client := writing(t)
	var want []string
	for _, n := range []int{0, 1, 125, 126, gatherBytes - 2, gatherBytes, 65535, 65536, 100_000} {
		want = append(want, strings.Repeat("x", n))
	}
	for i := range 300 {
		want = append(want, fmt.Sprintf(`{"op":"message","n":%d,"text":"%s"}`, i, strings.Repeat("é", i)))
	}
	pings := 0
	client.SetPingHandler(func(string) error { pings++; return nil })
	go func() { // pushes all of them; the reader below waits for the last
		for i, payload := range want {
			c.push(&outgoing{wire: wireFrame(wireText, []byte(payload)), size: len(payload)})
			if i%100 == 99 {
				c.answer(pingFrame)
			}
		}
	}()
	for i, payload := range want {
		kind, got, err := client.ReadMessage()
		if err != nil || kind != websocket.TextMessage || string(got) != payload {
			t.Fatalf("frame %d of %d bytes: got %d bytes of kind %d, %v", i, len(payload), len(got), kind, err)
		}
	}
	if pings != 3 {
		t.Errorf("%d pings came, want 3", pings)
	}
	eventually(t, "all to be written", func() bool {
		c.queue.mu.Lock()
		defer c.queue.mu.Unlock()
		return c.queue.bytes == 0
	})
}

func TestGather(t *testing.T) {
	frames := func(sizes ...int) (list []*outgoing) {
		for i, n := range sizes {
			list = append(list, &outgoing{wire: bytes.Repeat([]byte{byte('a' + i)}, n)})
		}
		return list
	}
	for name, c := range map[string]struct {
		sizes []int
		want  int
	}{
		"one":                         {[]int{10}, 1},
		"one larger than a write":     {[]int{gatherBytes * 3, 1}, 1},
		"several":                     {[]int{10, 20, 30}, 3},
		"as many as fit":              {[]int{gatherBytes - 5, 5, 1}, 2},
		"the next one does not fit":   {[]int{gatherBytes - 5, 6}, 1},
		"a large one waits its turn":  {[]int{5, 5, gatherBytes}, 2},
		"one that fills it by itself": {[]int{gatherBytes, 1}, 1},
	} {
		list := frames(c.sizes...)
		out, n, _ := gather(list)
		var want []byte
		for _, o := range list[:c.want] {
			want = append(want, o.wire...)
		}
		if n != c.want || !bytes.Equal(out, want) {
			t.Errorf("%s: %d frames, %d bytes; want %d, %d", name, n, len(out), c.want, len(want))
		}
	}
}

// BenchmarkConn_write is one push that a client gets, of a hundred that wait
// for its writer.
func BenchmarkConn_write(b *testing.B) {
	server, client := socketPair(b)
	go func() { _, _ = io.Copy(io.Discard, client.NetConn()) }() // ends with the socket
	c := newConn("c", server, nil, "", &SocketConfig{WriteTimeout: 10 * time.Second}, quiet(), time.Now())
	const waiting = 100
	o := &outgoing{wire: wireFrame(wireText, bytes.Repeat([]byte("x"), 300)), size: 300}
	batch := make([]*outgoing, waiting)
	for i := range batch {
		batch[i] = o
	}
	b.ReportAllocs()
	for n := 0; n < b.N; n += waiting {
		if err := c.writeAll(batch); err != nil {
			b.Fatal(err)
		}
	}
}
