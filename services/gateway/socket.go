package gateway

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/fasthttp/websocket"
	fiberws "github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"
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

	// What the HTTP half shares.
	verify    func(raw string) (token.Claims, error)
	revoked   func(sessionID string) bool
	allowSend func(ctx context.Context, userID string) error
	allowCall func(ctx context.Context, userID string) error
	replica   func(roomID string) []rpc.CallOption
	bearer    func(*fiber.Ctx) (raw string, present bool, err error)
	address   func(*fiber.Ctx) string // empty when it does not count

	buffers *sync.Pool // of the library's write buffers; without it each connection had one
}

// local is the key under which Upgrade passes what it found to serve.
const local = "parley.upgrade"

type upgrade struct {
	claims  token.Claims // zero: the first frame authenticates
	address string
}

// Upgrade checks a request before it becomes a WebSocket, so that a bad token
// and a full gateway are answered in HTTP.
func (s *sockets) Upgrade(ctx *fiber.Ctx) error {
	if !fiberws.IsWebSocketUpgrade(ctx) {
		return fault.New(fault.InvalidArgument, "this is a WebSocket: upgrade to it")
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
	if err := s.conns.room(up.address, up.claims.UserID); err != nil {
		return err
	}
	ctx.Locals(local, up)
	return ctx.Next()
}

// Serve is the handler behind Upgrade. It returns when the connection has
// ended and nothing of ours touches it any more.
func (s *sockets) Serve(base context.Context) fiber.Handler {
	return fiberws.New(func(fc *fiberws.Conn) {
		up, _ := fc.Locals(local).(upgrade)
		s.serve(base, fc.Conn, up)
	}, fiberws.Config{
		// Fiber's buffers are large, and one of each is kept a connection.
		ReadBufferSize:  1024,
		WriteBufferSize: 4096,
		WriteBufferPool: s.buffers,
		RecoverHandler: func(*fiberws.Conn) {
			if p := recover(); p != nil {
				s.log.Error("panic in a connection", slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
			}
		},
	})
}

func (s *sockets) serve(ctx context.Context, ws *websocket.Conn, up upgrade) {
	c := newConn(id.New(), ws, up.address, s.cfg, s.log, time.Now())
	c.wrote = s.hub.metrics.wrote
	ctx, cancel := context.WithCancel(telemetry.WithRequest(ctx, c.id))
	defer cancel()
	c.ended = cancel // nobody can be answered any more
	if err := s.conns.add(c); err != nil {
		e := endingFor(err)
		_ = ws.WriteControl(websocket.CloseMessage, e.message(), time.Now().Add(linger))
		s.conns.ends.of(e).Inc()
		return
	}
	why := endFailed
	defer func() {
		s.hub.detach(c)
		c.abandon(why) // unless it ends already
		c.join()
		s.conns.remove(c)
		if why == endTooLarge {
			lingerOn(c.netConn()) // else TCP would take the close frame back
		}
	}()
	if up.claims.UserID != "" {
		data, err := s.admit(ctx, c, up.claims)
		if err != nil {
			c.end(endingFor(err))
		} else {
			c.ready(contract.PushFrame[contract.ReadyData]{Op: contract.OpReady, Data: data})
		}
	}
	why = readEnding(s.converse(ctx, c))
}

// converse reads frames until the socket ends, and returns why it did.
func (s *sockets) converse(ctx context.Context, c *conn) error {
	pace := newPace(s.cfg.FramesPerSecond, s.cfg.FrameBurst)
	allow := func() bool {
		if c.queue.ending() != nil {
			return false // nothing is done any more for a connection that ends
		}
		if !pace.allow(time.Now()) {
			c.end(endTooFast)
			return false
		}
		return true
	}
	bad := 0
	err := c.read(allow, func(messageType int, frame []byte) {
		if errors.Is(s.answer(ctx, c, messageType, frame), errBadFrame) {
			if bad++; bad > s.cfg.MaxBadFrames {
				c.end(endBadFrames)
			}
		}
	})
	s.log.DebugContext(ctx, "connection ended", slog.Any("reason", err))
	return err
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

// admit gives the connection its user and rooms. The session is looked up
// once more after the hub knows the connection: a revocation that came in
// between found no socket to close.
func (s *sockets) admit(ctx context.Context, c *conn, claims token.Claims) (contract.ReadyData, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.CallTimeout)
	defer cancel()
	if err := s.conns.identify(c, claims); err != nil {
		return contract.ReadyData{}, err
	}
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
