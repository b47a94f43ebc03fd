package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
)

const (
	// readLimit is above any frame of a gateway: a ready frame with 20,000 rooms,
	// the most that one user may have, has less than 4 MB.
	readLimit = 8 << 20
	// writeWait bounds the write of one frame.
	writeWait = 10 * time.Second
	// upgradeWait bounds the upgrade, which a gateway makes without asking
	// anybody: one that takes longer has most likely gone, and another is tried.
	upgradeWait = 5 * time.Second
	// readyWait bounds the wait for the ready frame, for which gateways ask
	// their services for five seconds at most.
	readyWait = 10 * time.Second
)

// frame is any frame of a gateway.
type frame struct {
	ID    string          `json:"id"`
	Op    contract.Op     `json:"op"`
	Data  json.RawMessage `json:"data"`
	Error *fault.Error    `json:"error"`
}

// conn is one WebSocket to one gateway.
type conn struct {
	gateway string
	ws      *websocket.Conn
	token   Token
	opened  time.Time          // when it began to be opened
	heard   atomic.Int64       // when there was the last sign of life, after opened
	live    chan struct{}      // closed when ready is set
	ready   contract.ReadyData // what the gateway said
	drained chan time.Duration // holds one: the gateway asks to connect elsewhere after that time

	patience time.Duration // how long no reply may come while one is waited for
	answered atomic.Int64  // when the last reply came, after opened

	// ctx ends with the connection; its cause says why. reading ends the
	// socket, which a goodbye may outlive.
	ctx     context.Context
	end     context.CancelCauseFunc
	reading context.Context
	hangUp  context.CancelFunc

	mu      sync.Mutex
	next    int
	waiting map[string]chan frame // nil once the connection has ended
}

// errSilent is a connection on which nothing came for two heartbeats.
var errSilent = errors.New("the gateway is silent")

// upgradeError is a gateway's answer to an upgrade that it did not make.
type upgradeError struct {
	status     int
	retryAfter time.Duration
}

func (e *upgradeError) Error() string {
	return fmt.Sprintf("the gateway refused the connection: %d %s", e.status, http.StatusText(e.status))
}

// listener hears what a gateway tells unasked, on the connection's reading
// goroutine: the ready frame, and then pushes. It must not block.
type listener interface {
	ready(gateway string, d contract.ReadyData)
	push(op contract.Op, data json.RawMessage)
}

// dial opens a connection and waits until it is ready.
func dial(ctx context.Context, o Options, gateway string, token Token, to listener) (*conn, error) {
	c := &conn{
		gateway: gateway, token: token, opened: time.Now(), patience: o.CallTimeout,
		live: make(chan struct{}), drained: make(chan time.Duration, 1), waiting: map[string]chan frame{},
	}
	c.ctx, c.end = context.WithCancelCause(context.WithoutCancel(ctx))
	c.reading, c.hangUp = context.WithCancel(context.WithoutCancel(ctx))
	c.alive()
	opening, cancel := context.WithTimeout(ctx, upgradeWait)
	defer cancel()
	//nolint:bodyclose // Dial's documentation: the caller never needs to
	ws, response, err := websocket.Dial(opening, "ws"+strings.TrimPrefix(gateway, "http")+"/api/v1/ws", &websocket.DialOptions{
		HTTPClient: o.HTTPClient,
		HTTPHeader: http.Header{"Authorization": {"Bearer " + token.Access}},
		OnPingReceived: func(context.Context, []byte) bool {
			c.alive()
			return true
		},
	})
	if err != nil {
		c.end(err)
		if response != nil && response.StatusCode != http.StatusSwitchingProtocols {
			return nil, &upgradeError{status: response.StatusCode, retryAfter: retryAfter(response.Header)}
		}
		return nil, fmt.Errorf("connect: %w", err)
	}
	ws.SetReadLimit(readLimit)
	c.ws = ws
	go c.read(to) // ended by close
	waiting, stop := context.WithTimeout(ctx, readyWait)
	defer stop()
	select {
	case <-c.live:
		return c, nil
	case <-c.ctx.Done():
		return nil, fmt.Errorf("connect: %w", context.Cause(c.ctx))
	case <-waiting.Done():
		c.close(waiting.Err())
		return nil, fmt.Errorf("connect: no ready frame: %w", waiting.Err())
	}
}

// close ends the connection for the reason given.
func (c *conn) close(why error) {
	c.end(why)
	c.hangUp()
	_ = c.ws.CloseNow() // closed already: nothing to do
}

// leave ends the connection as an app does that goes. No call is made on it
// any more while it waits for the goodbye to be answered.
func (c *conn) leave() {
	c.end(ErrClosed)
	timer := time.AfterFunc(politely, c.hangUp) // CloseNow would wait for Close
	defer timer.Stop()
	_ = c.ws.Close(websocket.StatusNormalClosure, "")
	c.close(ErrClosed)
}

// alive notes a sign of life.
func (c *conn) alive() { c.heard.Store(int64(time.Since(c.opened))) }

// silence is how long there was no sign of life.
func (c *conn) silence() time.Duration { return time.Since(c.opened) - time.Duration(c.heard.Load()) }

// read hands on what comes until the socket ends.
func (c *conn) read(to listener) {
	c.close(c.readAll(to))
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, wait := range c.waiting {
		close(wait)
	}
	c.waiting = nil
}

func (c *conn) readAll(to listener) error {
	for {
		_, data, err := c.ws.Read(c.reading)
		if err != nil {
			return err
		}
		c.alive()
		var f frame
		if err := json.Unmarshal(data, &f); err != nil {
			return fmt.Errorf("a frame that is not understood: %w", err)
		}
		switch f.Op {
		case contract.OpOK, contract.OpError:
			c.answer(f)
		case contract.OpReady:
			if err := c.greet(f.Data, to); err != nil {
				return err
			}
		case contract.OpServerDraining:
			c.drain(f.Data)
		default:
			to.push(f.Op, f.Data)
		}
	}
}

// drain notes that the gateway is leaving.
func (c *conn) drain(data json.RawMessage) {
	var d contract.DrainingData
	_ = json.Unmarshal(data, &d) // what is not understood: at once
	select {
	case c.drained <- time.Duration(d.ReconnectAfterMS) * time.Millisecond:
	default: // it has said so before
	}
}

// greet takes the ready frame in; there is one for each connection.
func (c *conn) greet(data json.RawMessage, to listener) error {
	if c.ready.UserID != "" {
		return nil
	}
	if err := json.Unmarshal(data, &c.ready); err != nil {
		return fmt.Errorf("a ready frame that is not understood: %w", err)
	}
	to.ready(c.gateway, c.ready)
	close(c.live)
	return nil
}

func (c *conn) answer(f frame) {
	c.answered.Store(int64(time.Since(c.opened)))
	c.mu.Lock()
	defer c.mu.Unlock()
	if wait, ok := c.waiting[f.ID]; ok {
		delete(c.waiting, f.ID)
		wait <- f // has room for one
	}
}

// errLost says that the connection ended before the reply came: the call may
// have been carried out.
var errLost = errors.New("the connection was lost")

// ask sends a frame and waits for its reply. The error is a *fault.Error when
// the gateway refused, wraps errLost when the connection ended or nothing is
// answered on it any more, and is ctx's when that ended.
func (c *conn) ask(ctx context.Context, op contract.Op, data any) (json.RawMessage, error) {
	id, wait, err := c.expect()
	if err != nil {
		return nil, err
	}
	defer c.forget(id)
	request, err := json.Marshal(struct {
		ID   string      `json:"id"`
		Op   contract.Op `json:"op"`
		Data any         `json:"data"`
	}{id, op, data})
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", op, err)
	}
	// Not under ctx: a write that is broken off ends the connection.
	writing, cancel := context.WithTimeout(c.ctx, writeWait)
	err = c.ws.Write(writing, websocket.MessageText, request)
	cancel()
	if err != nil {
		err = fmt.Errorf("%w: %w", errLost, err)
		c.end(err) // not to be used again, even if its reading goroutine knows nothing yet
		return nil, err
	}
	return c.await(ctx, wait)
}

func (c *conn) expect() (id string, wait chan frame, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting == nil {
		return "", nil, fmt.Errorf("%w: %w", errLost, context.Cause(c.ctx))
	}
	c.next++
	id, wait = strconv.Itoa(c.next), make(chan frame, 1)
	c.waiting[id] = wait
	return id, wait, nil
}

func (c *conn) forget(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.waiting, id)
}

// retryAfter reads the header of that name, in seconds.
func retryAfter(h http.Header) time.Duration {
	seconds, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, time.Minute)
}
