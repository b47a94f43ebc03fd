package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"runtime/debug"
	"time"

	"github.com/parley-im/parley/pkg/telemetry"
)

const (
	// restAfter is how long a reader waits for the next frame before it gives
	// its stack up: carrying a frame out takes 8 KB of it and more, waiting 2.
	restAfter = time.Second
	// renewAfter is how old the deadline for that may become before it is
	// moved, so that a busy client's frames do not each move it.
	renewAfter = restAfter / 2
	// steadyBytes of a message that is coming count as a sign of life, so that a
	// slow upload is not silent: at the default heartbeat a client must send 20
	// bytes a second on average.
	steadyBytes = 1024
)

// errClosed ends a connection that the client has closed.
var errClosed = errors.New("closed by the client")

// errPanicked ends a connection on which something went wrong here.
var errPanicked = errors.New("panicked")

// rest is the reader of a connection on which nothing happens but that it
// answers pings. Its stack is small. With the first frame it becomes converse.
func (s *sockets) rest(base context.Context, c *conn) {
	defer s.guard(c)
	for {
		err := c.inbound.fill()
		if err != nil {
			s.depart(c, err)
			return
		}
		if !c.onlyPongs() {
			break
		}
	}
	s.converse(base, c)
}

// converse is the reader of a connection that is in use: it carries out
// frames, one after the other, so that what a client sends in a row stays in
// order. When none has come for a while, rest takes over.
func (s *sockets) converse(base context.Context, c *conn) {
	ctx, cancel := c.begin(telemetry.WithRequest(base, c.id))
	err := s.readFrames(ctx, c)
	cancel()
	if c.rests(err) {
		go s.rest(base, c) // the reader from now on: ends with the socket, or becomes converse
		return
	}
	s.log.DebugContext(ctx, "connection ended", slog.Any("reason", err))
	s.depart(c, err)
}

// readFrames returns why it ended, which may be that nothing has come for a
// while.
func (s *sockets) readFrames(ctx context.Context, c *conn) error {
	var deadline time.Time
	for {
		op, payload, err := c.inbound.next()
		switch {
		case errors.Is(err, errMore):
			c.hearProgress()
			if now := time.Now(); deadline.Sub(now) < renewAfter {
				deadline = now.Add(restAfter)
				c.readUntil(deadline)
			}
			err = c.inbound.fill()
		case err == nil:
			err = s.take(ctx, c, op, payload)
		}
		if err != nil {
			return err
		}
	}
}

// take carries one frame out, if it may pass. Pings and pongs count, too.
func (s *sockets) take(ctx context.Context, c *conn, op byte, payload []byte) error {
	if op == opClose {
		echo, err := checkClose(payload)
		if err != nil {
			return err
		}
		c.echo = echo
		return errClosed
	}
	if !c.mayPass() {
		return nil
	}
	switch op {
	case opPing:
		c.pong(payload)
	case opText, opBinary:
		c.heard.Store(math.MaxInt64) // nobody is silent who waits for us
		if errors.Is(s.answer(ctx, c, int(op), payload), errBadFrame) {
			if c.bad++; c.bad > c.cfg.MaxBadFrames {
				c.end(endBadFrames)
			}
		}
	}
	c.hear(time.Now())
	return nil
}

// hearProgress notes a sign of life for every steadyBytes of the message that is
// coming.
func (c *conn) hearProgress() {
	come := c.inbound.size - c.inbound.left
	if come < c.come { // of another message
		c.come = 0
	}
	if come-c.come >= steadyBytes {
		c.come = come
		c.hear(time.Now())
	}
}

// mayPass reports whether a frame may pass. Too many in a while end the
// connection, and nothing is done any more for one that ends.
func (c *conn) mayPass() bool {
	if c.queue.ending() != nil {
		return false
	}
	if !c.pace.allow(time.Now()) {
		c.end(endTooFast)
		return false
	}
	return true
}

// onlyPongs takes the answers to our pings from what was read, and reports
// whether that was all.
func (c *conn) onlyPongs() bool {
	for {
		unread := c.inbound.unread()
		if len(unread) == 0 {
			return true
		}
		if c.inbound.within || unread[0] != finBit|opPong {
			return false
		}
		op, _, err := c.inbound.next()
		if err != nil || op != opPong {
			return false
		}
		if c.mayPass() {
			c.hear(time.Now())
		}
	}
}

// pong queues the answer to a client's ping: the writer writes it, so that
// one who reads nothing can't hold the reader.
func (c *conn) pong(payload []byte) {
	c.answer(&outgoing{wire: wireFrame(wirePong, payload), size: pongBytes + len(payload)})
}

// begin has what is carried out end with the connection.
func (c *conn) begin(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.interrupt = cancel; c.mute {
		cancel()
	}
	return ctx, cancel
}

// readUntil bounds how long the reader waits, unless that is bounded for good.
func (c *conn) readUntil(deadline time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.leaving {
		_ = c.nc.SetReadDeadline(deadline) // one that is closed shows when it is read
	}
}

// rests reports whether a reading ended because nothing came, and lets the next
// one take as long as it likes.
func (c *conn) rests(err error) bool {
	var network net.Error
	if !errors.As(err, &network) || !network.Timeout() {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.interrupt = nil
	return !c.leaving && c.nc.SetReadDeadline(time.Time{}) == nil
}

// guard ends the connection, and nothing else, when its reader panics.
func (s *sockets) guard(c *conn) {
	if p := recover(); p != nil {
		s.log.Error("panic in a connection", slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
		s.depart(c, fmt.Errorf("%w: %v", errPanicked, p))
	}
}

// depart ends a connection for good: its reader calls it, the last that it
// does.
func (s *sockets) depart(c *conn, err error) {
	why := readEnding(err)
	s.hub.detach(c)
	c.abandon(why) // unless it ends already
	c.queue.join()
	s.conns.remove(c)
	if c.inbound.release(); why == endTooLarge {
		lingerOn(c.nc) // else TCP would take the close frame back
	}
	c.cut()
}
