package gateway

import (
	"encoding/json"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley-im/parley/pkg/token"
)

// linger is how long a closed connection may take to answer our close frame,
// or to take in what blocks it, before it is cut.
const linger = time.Second

// pongBytes is what a queued pong counts beside its data, which may be empty: a
// client that asks faster than it reads must not queue them without end.
const pongBytes = 64

// conn is one client's WebSocket. One goroutine reads, as reader.go has it; one
// at most writes, while there is something to write. Its socket is its own:
// fasthttp has handed it over, and gives no part of it to anyone else. The
// reader leaves the hub and joins the last writer before it closes the socket.
type conn struct {
	id      string
	nc      net.Conn
	address string // of the client, for the cap per address; never logged
	opened  time.Time
	retires time.Time // when it has become too old; zero: never
	cfg     *SocketConfig
	log     *slog.Logger
	wrote   func(*outgoing) // told of the first push of each batch that is written

	queue    queue
	hurry    atomic.Bool  // the writer leaves what it has in hand
	lastPing atomic.Int64 // by monotonic
	heard    atomic.Int64 // when the client last sent a frame, by monotonic; far ahead while one is carried out

	// Of the reader's goroutine.
	inbound inbound
	come    int64  // bytes of the message that is coming, at its last sign of life
	frames  uint64 // read so far
	bad     int    // of them, that could not be understood
	pace    pace
	echo    []byte // what the client's close frame is answered with, nil before it came; the writer reads it after the end

	mu        sync.Mutex
	claims    token.Claims // zero until authenticated
	leaving   bool         // the read deadline is final
	interrupt func()       // gives up what is carried out; nil: nothing is
	mute      bool         // nothing can be written any more

	// The registry's, under its lock.
	leaves time.Time // when the connection is closed, once that was told
	cutAt  time.Time // when it is cut, once it has ended

	// The rooms that the hub delivers to this connection, each with the highest
	// revision at which the user is known to be in it.
	roomsMu sync.Mutex
	rooms   map[string]int64
	gone    bool // the hub takes it into no room any more
}

// newConn is a connection over nc, of which early has been read already.
func newConn(id string, nc net.Conn, early []byte, address string, cfg *SocketConfig, log *slog.Logger, now time.Time) *conn {
	c := &conn{
		id: id, nc: nc, address: address, opened: now, retires: retirement(now, cfg.MaxConnAge), cfg: cfg, log: log,
		queue: newQueue(cfg.QueueBytes),
		pace:  newPace(cfg.FramesPerSecond, cfg.FrameBurst),
		wrote: func(*outgoing) {},
	}
	c.inbound.limit = int64(cfg.FrameBytes)
	c.inbound.open(nc, early)
	c.lastPing.Store(int64(monotonic(now)))
	c.hear(now)
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
		go c.write() // ends when nothing waits any more; bounded by the queue's bytes and the write deadline; joined by the reader
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
	_ = c.nc.SetWriteDeadline(time.Now().Add(linger)) // already cut: nothing to bound
	c.startIf(start)
}

// cut closes the socket under the connection.
func (c *conn) cut() { _ = c.nc.Close() }

// hear notes that the client lives.
func (c *conn) hear(now time.Time) { c.heard.Store(int64(monotonic(now))) }

// silent reports whether the client has sent nothing for that long.
func (c *conn) silent(now time.Time, d time.Duration) bool {
	return monotonic(now)-time.Duration(c.heard.Load()) >= d
}

// leave gives the reader a last moment to see the peer's close frame.
func (c *conn) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leaving = true
	_ = c.nc.SetReadDeadline(time.Now().Add(linger))
}
