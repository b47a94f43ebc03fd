package gateway

import (
	"encoding/json"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fasthttp/websocket"

	"github.com/parley-im/parley/pkg/token"
)

// linger is how long a closed connection may take to answer our close frame,
// or to take in what blocks it, before it is cut.
const linger = time.Second

// pongBytes is what a queued pong counts beside its data, which may be empty: a
// client that asks faster than it reads must not queue them without end.
const pongBytes = 64

// conn is one client's WebSocket. Its handler's goroutine reads; a writer
// goroutine, of which there is one at most, writes while there is something to
// write. The handler joins the last of them before it returns: fasthttp gives
// the handler's buffers to the next client then.
type conn struct {
	id      string
	ws      *websocket.Conn
	address string // of the client, for the cap per address; never logged
	opened  time.Time
	retires time.Time // when it has become too old; zero: never
	cfg     SocketConfig
	log     *slog.Logger
	wrote   func(*outgoing) // told of the first push of each batch that is written
	ended   func()          // told when nothing can be written any more; nil: nobody is

	frames   uint64 // read so far; of the reader's goroutine
	queue    queue
	hurry    atomic.Bool  // the writer leaves what it has in hand
	lastPing atomic.Int64 // Unix milliseconds

	mu      sync.Mutex
	claims  token.Claims // zero until authenticated
	leaving bool         // the read deadline is final
	over    bool         // the socket may be the next client's

	// The registry's, under its lock.
	leaves time.Time // when the connection is closed, once that was told
	cutAt  time.Time // when it is cut, once it has ended

	// The rooms that the hub delivers to this connection.
	roomsMu sync.Mutex
	rooms   map[string]struct{}
	gone    bool // the hub takes it into no room any more
}

func newConn(id string, ws *websocket.Conn, address string, cfg SocketConfig, log *slog.Logger, now time.Time) *conn {
	c := &conn{
		id: id, ws: ws, address: address, opened: now, retires: retirement(now, cfg.MaxConnAge), cfg: cfg, log: log,
		queue: newQueue(cfg.QueueBytes),
		rooms: map[string]struct{}{},
		wrote: func(*outgoing) {},
	}
	c.lastPing.Store(now.UnixMilli())
	return c
}

// requestID names the next frame, for logs: by the connection, and which of its
// frames it is. Only the reader may call it.
func (c *conn) requestID() string {
	c.frames++
	return c.id + "." + strconv.FormatUint(c.frames, 10)
}

// identity returns the claims of the last token that authenticated the
// connection, and whether there was one.
func (c *conn) identity() (token.Claims, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.claims, c.claims.UserID != ""
}

// renew puts newer claims of the same session in place.
func (c *conn) renew(claims token.Claims) {
	c.mu.Lock()
	c.claims = claims
	c.mu.Unlock()
}

// push queues a frame that others share. A full queue closes the connection:
// the client reconnects and catches up by seq.
func (c *conn) push(o *outgoing) { c.startIf(c.offer(o)) }

// offer is push for who has more to queue first: it tells whether the caller
// must start the writer then.
func (c *conn) offer(o *outgoing) (start bool) {
	start, ok := c.queue.push(o)
	if !ok {
		c.abandon(endTooSlow)
	}
	return start
}

// answer queues a frame that pushes have no part in: it passes before the
// connection is ready.
func (c *conn) answer(o *outgoing) {
	start, ok := c.queue.reply(o)
	if !ok {
		c.abandon(endTooSlow)
	}
	c.startIf(start)
}

// reply queues an answer.
func (c *conn) reply(v any) {
	if o, ok := c.encode(v); ok {
		c.answer(o)
	}
}

// ready queues the answer to authentication and lets pushes pass after it.
func (c *conn) ready(v any) {
	if o, ok := c.encode(v); ok {
		c.startIf(c.queue.release(o))
	}
}

// startIf starts the writer for who was told to by the queue.
func (c *conn) startIf(start bool) {
	if start {
		go c.write() // ends when nothing waits any more; bounded by the queue's bytes and the write deadline; joined by the handler
	}
}

func (c *conn) encode(v any) (*outgoing, bool) {
	data, err := json.Marshal(v)
	if err != nil {
		c.log.Error("encode frame", slog.Any("error", err))
		return nil, false
	}
	return &outgoing{wire: wireFrame(wireText, data), size: len(data)}, true
}

// end ends the connection once what waits is written.
func (c *conn) end(e *ending) { c.startIf(c.queue.close(e, false)) }

// abandon ends the connection without what waits. The write that may be
// blocked right now gets a last moment.
func (c *conn) abandon(e *ending) {
	start := c.queue.close(e, true)
	c.hurry.Store(true)
	c.mu.Lock()
	if !c.over {
		_ = c.ws.NetConn().SetWriteDeadline(time.Now().Add(linger)) // already cut: nothing to bound
	}
	c.mu.Unlock()
	c.startIf(start)
}

// join waits until the last writer of an ended connection has ended. From then on nobody touches the
// socket, who may still hold the connection.
func (c *conn) join() {
	c.queue.join()
	c.mu.Lock()
	c.over = true
	c.mu.Unlock()
}

// cut closes the socket under the connection. Conn.Close would not: fasthttp
// keeps a hijacked connection open until its handler returns.
func (c *conn) cut() { _ = c.netConn().Close() }

// netConn is the connection that was accepted.
func (c *conn) netConn() net.Conn {
	if hijacked, ok := c.ws.NetConn().(interface{ UnsafeConn() net.Conn }); ok {
		return hijacked.UnsafeConn()
	}
	return c.ws.NetConn()
}

// keepAlive moves the read deadline: a peer that is silent for two heartbeats
// is gone.
func (c *conn) keepAlive() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.leaving {
		_ = c.ws.SetReadDeadline(time.Now().Add(2 * c.cfg.Heartbeat))
	}
}

// leave gives the reader a last moment to see the peer's close frame.
func (c *conn) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leaving = true
	_ = c.ws.SetReadDeadline(time.Now().Add(linger))
}

// write is the writer: it ends when nothing waits, and for good when the queue
// is closed or the socket breaks, and then ends the reader too.
func (c *conn) write() {
	for {
		batch, closing := c.queue.take()
		if batch != nil {
			err := c.writeAll(batch.frames)
			batch.free()
			if err != nil {
				c.queue.close(writeEnding(err), true)
				c.dropRest()
				c.cut()
				c.finish()
				return
			}
		}
		if closing != nil {
			if closing.code != 0 {
				_ = c.ws.WriteControl(websocket.CloseMessage, closing.message(), time.Now().Add(linger))
			}
			c.leave()
			c.finish()
			return
		}
		if batch == nil {
			return
		}
	}
}

// dropRest loses what waits on a connection that was to end after it.
func (c *conn) dropRest() {
	if rest, _ := c.queue.take(); rest != nil {
		lose(rest.frames)
		rest.free()
	}
}

// finish is the last that the last writer does.
func (c *conn) finish() {
	if c.ended != nil {
		c.ended()
	}
	c.queue.end()
}

// writeAll writes frames until a write fails or the writer has to hurry.
func (c *conn) writeAll(frames []*outgoing) error {
	told := false
	for len(frames) > 0 {
		if c.hurry.Load() {
			lose(frames)
			return nil
		}
		n, err := c.writeSome(frames)
		if err != nil {
			lose(frames)
			return err
		}
		size := 0
		for _, o := range frames[:n] {
			size += o.size
			if o.arrived != 0 && !told {
				told = true
				c.wrote(o)
			}
			o.trail.wrote()
		}
		c.queue.done(size)
		frames = frames[n:]
	}
	return nil
}

// writeSome writes the first frames in one write and returns how many. It goes
// past the WebSocket library, which writes one frame at a time: whatever the
// library writes itself, a close frame at the end or for a broken one of the
// peer's, is one write as well, so that frames stay whole.
func (c *conn) writeSome(frames []*outgoing) (int, error) {
	out, n, buffer := gather(frames)
	if buffer != nil {
		defer gathers.Put(buffer)
	}
	nc := c.ws.NetConn()
	if err := nc.SetWriteDeadline(time.Now().Add(c.cfg.WriteTimeout)); err != nil {
		return 0, err
	}
	_, err := nc.Write(out)
	return n, err
}

// read hands each frame to handle until the socket ends. Frames are handled
// one after the other, so that what a client sends in a row stays in order.
// Every frame, pings and pongs too, first asks allow, and is dropped if it may
// not pass.
func (c *conn) read(allow func() bool, handle func(messageType int, frame []byte)) error {
	c.ws.SetReadLimit(int64(c.cfg.FrameBytes))
	c.ws.SetPongHandler(func(string) error {
		if allow() {
			c.keepAlive()
		}
		return nil
	})
	c.ws.SetPingHandler(func(data string) error {
		if allow() {
			c.keepAlive()
			c.pong(data)
		}
		return nil
	})
	for {
		c.keepAlive()
		messageType, frame, err := c.ws.ReadMessage()
		if err != nil {
			return err
		}
		if allow() {
			handle(messageType, frame)
		}
	}
}

// pong queues the answer to a client's ping: the writer writes it, so that
// one who reads nothing can't hold the reader.
func (c *conn) pong(data string) {
	c.answer(&outgoing{wire: wireFrame(wirePong, []byte(data)), size: pongBytes + len(data)})
}
