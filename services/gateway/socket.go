package gateway

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"runtime/debug"
	"time"

	fiberws "github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
	"go.opentelemetry.io/otel/trace"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/id"
	"github.com/parley-im/parley/pkg/rpc"
	"github.com/parley-im/parley/pkg/telemetry"
	"github.com/parley-im/parley/pkg/token"
)

// retryHint is how long a client should wait after "not available".
const retryHint = time.Second

// sockets upgrades, authenticates and serves WebSocket connections.
type sockets struct {
	cfg    SocketConfig
	limits contract.Limits
	log    *slog.Logger
	tracer trace.Tracer
	calls  *rpc.Client
	hub    *hub
	conns  *registry
	ops    map[contract.Op]*operation
	noOp   *operation // what is not one of them

	repairs *repairMetrics
	turns   chan struct{} // held by who is being let in; capacity admitAtOnce

	// What the HTTP half shares.
	verify    func(raw string) (token.Claims, error)
	revoked   func(sessionID string) bool
	allowSend func(ctx context.Context, userID string) error
	allowCall func(ctx context.Context, userID string) error
	replica   func(roomID string) []rpc.CallOption
	bearer    func(*fiber.Ctx) (raw string, present bool, err error)
	address   func(*fiber.Ctx) string // empty when it does not count
}

// local is the key under which Upgrade passes what it found to Serve.
const local = "parley.upgrade"

type upgrade struct {
	claims  token.Claims // zero: the first frame authenticates
	address string
}

// Upgrade checks a request before it becomes a WebSocket, so that a bad token
// and a full gateway are answered in HTTP.
func (s *sockets) Upgrade(ctx *fiber.Ctx) error {
	joinConnection(&ctx.Request().Header)
	if !fiberws.IsWebSocketUpgrade(ctx) {
		return fault.New(fault.InvalidArgument, "this is a WebSocket: upgrade to it")
	}
	if err := checkHandshake(ctx); err != nil {
		return err
	}
	up := upgrade{address: s.address(ctx)}
	raw, present, err := s.bearer(ctx)
	if err != nil {
		return err
	}
	if present {
		if up.claims, err = s.verify(raw); err != nil {
			return err
		}
	}
	if err := s.conns.knock(up.address, up.claims.UserID, time.Now()); err != nil {
		return err
	}
	ctx.Locals(local, up)
	return ctx.Next()
}

// joinConnection makes one header line of several "Connection" lines, as RFC 9110,
// section 5.2, reads them: the library looks at the first only.
func joinConnection(header *fasthttp.RequestHeader) {
	if lines := header.PeekAll(fiber.HeaderConnection); len(lines) > 1 {
		header.SetBytesV(fiber.HeaderConnection, bytes.Join(lines, []byte(", ")))
	}
}

// socketVersion is the only version of the protocol (RFC 6455, section 4.4).
const socketVersion = "13"

// checkHandshake refuses a version other than ours, and a key that is not 16
// bytes in base64.
func checkHandshake(ctx *fiber.Ctx) error {
	if ctx.Get(fiber.HeaderSecWebSocketVersion) != socketVersion {
		return fiber.ErrUpgradeRequired
	}
	if key, err := base64.StdEncoding.DecodeString(ctx.Get(fiber.HeaderSecWebSocketKey)); err != nil || len(key) != 16 {
		return fault.New(fault.InvalidArgument, "Sec-WebSocket-Key is not 16 bytes in base64")
	}
	return nil
}

// Serve is the handler behind Upgrade. The library shakes hands; then the
// socket is ours, and what the library and fasthttp have of it is free for the
// next request. fasthttp must keep hijacked connections: it must not close them
// when the handler returns.
func (s *sockets) Serve(base context.Context) fiber.Handler {
	return fiberws.New(func(fc *fiberws.Conn) {
		up, _ := fc.Locals(local).(upgrade)
		nc, early := takeOver(fc.NetConn())
		go s.serve(base, nc, early, up) // the connection's reader: ends with the socket, or hands it on
	}, fiberws.Config{
		RecoverHandler: func(*fiberws.Conn) { // its own would tell the client
			if p := recover(); p != nil {
				s.log.Error("panic in an upgrade", slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
			}
		},
	})
}

// takeOver returns the connection that was accepted, and what fasthttp has
// read of it beyond the request.
func takeOver(hijacked net.Conn) (nc net.Conn, early []byte) {
	nc = hijacked
	if h, ok := hijacked.(interface{ UnsafeConn() net.Conn }); ok {
		nc = h.UnsafeConn()
	}
	_ = nc.SetReadDeadline(time.Unix(1, 0)) // long ago: what is buffered is read, and nothing more
	early, _ = io.ReadAll(hijacked)         // it ends with the deadline
	_ = nc.SetReadDeadline(time.Time{})
	if len(early) == 0 {
		return nc, nil
	}
	return nc, early
}

// serve is the reader of a new connection: it lets it in, and reads.
func (s *sockets) serve(base context.Context, nc net.Conn, early []byte, up upgrade) {
	c := newConn(id.New(), nc, early, up.address, &s.cfg, s.log, time.Now())
	c.wrote = s.hub.metrics.wrote
	if err := s.conns.add(c); err != nil {
		e := endingFor(err)
		c.writeClose(e.message())
		c.cut()
		s.conns.ends.of(e).Inc()
		return
	}
	defer s.guard(c)
	if up.claims.UserID != "" {
		s.greet(base, c, up.claims)
	}
	s.converse(base, c)
}

// greet lets a connection in that came with a token.
func (s *sockets) greet(base context.Context, c *conn, claims token.Claims) {
	ctx, cancel := c.begin(telemetry.WithRequest(base, c.id))
	defer cancel()
	c.heard.Store(math.MaxInt64) // nobody is silent who waits for us
	data, err := s.admit(ctx, c, claims)
	c.hear(time.Now())
	if err != nil {
		c.end(endingFor(err))
		return
	}
	c.ready(contract.PushFrame[contract.ReadyData]{Op: contract.OpReady, Data: data})
}

// authenticate answers an auth frame: the first one on a connection that came
// without a header, or one that renews the token. It returns the fault that
// was answered, or nil.
func (s *sockets) authenticate(ctx context.Context, c *conn, frame contract.Frame) *fault.Error {
	refuse := func(err error, e *ending) *fault.Error {
		f := s.refuse(ctx, c, frame, err)
		if e != nil {
			c.end(e)
		}
		return f
	}
	var d contract.AuthData
	if err := decodeData(frame.Data, &d); err != nil {
		return refuse(err, endUnauthenticated)
	}
	claims, err := s.verify(d.Token)
	if err != nil {
		return refuse(err, endingFor(err))
	}
	current, authenticated := c.identity()
	if authenticated {
		if claims.UserID != current.UserID || claims.SessionID != current.SessionID {
			return refuse(fault.New(fault.PermissionDenied, "this connection belongs to another user or session"), nil)
		}
		c.renew(claims)
		return s.renewed(ctx, c, frame)
	}
	if err := s.conns.arrive(claims.UserID, time.Now()); err != nil {
		return refuse(err, endingFor(err))
	}
	data, err := s.admit(ctx, c, claims)
	if err != nil {
		return refuse(err, endingFor(err))
	}
	c.ready(ack{ID: frame.ID, Op: contract.OpOK, Data: data})
	return nil
}

// renewed answers an auth frame on a live connection as the first was.
func (s *sockets) renewed(ctx context.Context, c *conn, frame contract.Frame) *fault.Error {
	claims, _ := c.identity()
	data, err := s.welcome(ctx, c, claims)
	if err != nil {
		return s.refuse(ctx, c, frame, err)
	}
	c.reply(ack{ID: frame.ID, Op: contract.OpOK, Data: data})
	return nil
}

// admitAtOnce is how many connections are let in at once. Of a crowd the
// others wait for their turn, and their time to be let in begins with it: asked
// about all of them together, chat would refuse most.
const admitAtOnce = 64

// admitWait bounds the wait for one's turn.
const admitWait = 30 * time.Second

// turnOf waits for the connection's turn to be let in, and returns what ends
// it. Who has gone by then has none.
func (s *sockets) turnOf(ctx context.Context, c *conn) (end func(), err error) {
	timer := time.NewTimer(admitWait)
	defer timer.Stop()
	select {
	case s.turns <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("wait to be let in: %w", ctx.Err())
	case <-timer.C:
		return nil, fault.New(fault.Unavailable, "too many connect").After(retryHint)
	}
	if err := c.inbound.look(); err != nil {
		<-s.turns
		return nil, fmt.Errorf("gone before its turn: %w", err)
	}
	return func() { <-s.turns }, nil
}

// admit gives the connection its user and rooms. The session is looked up
// once more after the hub knows the connection: a revocation that came in
// between found no socket to close.
func (s *sockets) admit(ctx context.Context, c *conn, claims token.Claims) (contract.ReadyData, error) {
	if err := s.conns.identify(c, claims); err != nil {
		return contract.ReadyData{}, err
	}
	end, err := s.turnOf(ctx, c)
	if err != nil {
		return contract.ReadyData{}, err
	}
	defer end()
	ctx, cancel := context.WithTimeout(ctx, s.cfg.CallTimeout)
	defer cancel()
	data, err := s.welcome(ctx, c, claims)
	if err != nil {
		return contract.ReadyData{}, err
	}
	if s.revoked(claims.SessionID) {
		return contract.ReadyData{}, errRevoked
	}
	return data, nil
}

// errRevoked refuses a token whose session has ended.
var errRevoked = fault.New(fault.Unauthenticated, "the session has ended")

// fault translates an error for the client, and logs those that are ours.
func (s *sockets) fault(ctx context.Context, op contract.Op, err error) *fault.Error {
	f := fault.From(err)
	if f.Code == fault.Internal {
		s.log.ErrorContext(ctx, "frame", slog.String("op", string(op)), slog.Any("error", err))
	}
	return f
}
