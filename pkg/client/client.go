package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/parley-im/parley/pkg/fault"
)

const (
	// callsAtOnce is how many calls wait for their replies; more wait for
	// their turn.
	callsAtOnce = 32
	// saveWait bounds the last saving of cursors.
	saveWait = 5 * time.Second
)

// ErrClosed is what calls return after Close.
var ErrClosed = errors.New("client: closed")

// Client is one user's place in Parley, on one connection at a time. Its
// methods may be called by many goroutines, but for Next.
type Client struct {
	o      Options
	log    *slog.Logger
	stats  *statistics
	stream *stream
	tokens tokens        // of run's goroutine
	pace   *rate.Limiter // of sends, as the gateway allows
	slots  chan struct{} // calls that wait for their replies

	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
	stopped chan struct{} // closed when run has ended

	mu      sync.Mutex
	conn    *conn         // nil while there is none
	changed chan struct{} // closed and replaced with conn
	err     error         // why run has ended, or the last failure to connect
}

// Dial connects for the first time and returns when that has succeeded. It
// tries until ctx ends, or the token source says that the session is over.
func Dial(ctx context.Context, o Options) (*Client, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	stored, err := o.Cursors.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("load cursors: %w", err)
	}
	stats := &statistics{}
	c := &Client{
		o: o, log: o.Log, stats: stats, stream: newStream(o, stored, stats),
		tokens:  tokens{source: o.Tokens},
		pace:    rate.NewLimiter(rate.Inf, 1),
		slots:   make(chan struct{}, callsAtOnce),
		stopped: make(chan struct{}),
		changed: make(chan struct{}),
	}
	c.ctx, c.cancel = context.WithCancel(context.WithoutCancel(ctx))
	go c.run() // ended by Close, or by the end of the session
	if _, err := c.live(ctx); err != nil {
		if why := c.lastError(); why != nil && ctx.Err() != nil {
			err = fmt.Errorf("%w, after: %w", err, why)
		}
		_ = c.Close() // nothing has been handled
		return nil, fmt.Errorf("dial: %w", err)
	}
	return c, nil
}

// Next waits for the next event and returns it. Calling it again says that the
// event before has been handled. It is for one goroutine at a time. The error
// is ctx's; or, once all events have been taken, [ErrClosed], or a fault of the
// code Unauthenticated when the session is over.
func (c *Client) Next(ctx context.Context) (Event, error) {
	for {
		if e, ok := c.stream.take(); ok {
			return e, nil
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		select {
		case <-c.stream.some:
		case <-ctx.Done():
		case <-c.stopped:
			if e, ok := c.stream.take(); ok {
				return e, nil
			}
			return nil, c.lastError()
		}
	}
}

// UserID is whose client this is.
func (c *Client) UserID() string {
	c.stream.mu.Lock()
	defer c.stream.mu.Unlock()
	return c.stream.userID
}

// Stats tells what the client has seen since Dial.
func (c *Client) Stats() Stats { return c.stats.read(time.Now()) }

// Close ends the connection and saves the cursors. The event in hand does not
// count as handled. The error is that of saving.
func (c *Client) Close() error {
	c.cancel()
	<-c.stopped
	ctx, cancel := context.WithTimeout(context.Background(), saveWait)
	defer cancel()
	return c.save(ctx)
}

// live returns the connection, and waits for one while there is none.
func (c *Client) live(ctx context.Context) (*conn, error) {
	for {
		c.mu.Lock()
		current, changed := c.conn, c.changed
		c.mu.Unlock()
		if current != nil && current.ctx.Err() == nil {
			return current, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-c.stopped:
			return nil, c.lastError()
		}
	}
}

// use puts the connection in place; nil: there is none.
func (c *Client) use(current *conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn = current
	close(c.changed)
	c.changed = make(chan struct{})
}

func (c *Client) lastError() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

func (c *Client) failed(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = err
}

// save saves the cursors that have moved.
func (c *Client) save(ctx context.Context) error {
	moved := c.stream.progress()
	if len(moved) == 0 {
		return nil
	}
	if err := c.o.Cursors.Save(ctx, moved); err != nil {
		c.stream.unsaved(moved)
		return fmt.Errorf("save cursors: %w", err)
	}
	return nil
}

// saveAll saves cursors now and then, until the client ends.
func (c *Client) saveAll(ctx context.Context) {
	tick := time.NewTicker(c.o.SaveEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := c.save(ctx); err != nil && ctx.Err() == nil {
				c.log.Warn("cursors are not saved", slog.Any("error", err))
			}
		}
	}
}

// over reports whether the error means that the session has ended.
func over(err error) bool { return fault.Is(err, fault.Unauthenticated) }

// errOver is what a gateway says that wants no further connection.
var errOver = fault.New(fault.Unauthenticated, "the gateway wants no further connection")
