package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/gofiber/fiber/v2"
	"go.opentelemetry.io/otel/trace"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/id"
	"github.com/parley-im/parley/pkg/telemetry"
)

// apiPrefix is where everything private is.
const apiPrefix = "/api/"

// idKey is where a request's id is kept with it.
type idKey struct{}

// edge is the outermost handler of every request that could be read: it names
// it, guards it, turns an error into a problem, counts and logs it.
func (a *api) edge(fc *fiber.Ctx) error {
	began := time.Now()
	a.metrics.inFlight.Inc()
	defer a.metrics.inFlight.Dec()
	a.guard(fc)
	fc.SetUserContext(telemetry.WithRequest(context.Background(), requestID(fc)))
	err := a.next(fc)
	if err != nil {
		_ = a.fail(fc, err) // it writes into memory
	}
	route := unmatched
	if path := fc.Route().Path; path != "/" || fc.Path() == "/" {
		route = path
	}
	status := fc.Response().StatusCode()
	ctx, took := fc.UserContext(), time.Since(began)
	a.metrics.ended(fc.Method()+" "+route, status, took, trace.SpanContextFromContext(ctx))
	a.log.DebugContext(ctx, "request", slog.String("method", fc.Method()), slog.String("route", route),
		slog.Int("status", status), slog.Duration("took", took))
	return nil
}

// next checks the origin and has the request answered; a panic becomes an
// error whose text only the log sees.
func (a *api) next(fc *fiber.Ctx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &panicError{value: p, stack: debug.Stack()}
		}
	}()
	if done, err := a.origins.check(fc); done || err != nil {
		return err
	}
	return fc.Next()
}

// panicError is what a handler panicked with.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// fail answers an error. Fiber calls it too, for requests that could not be
// read and so never came to edge.
func (a *api) fail(fc *fiber.Ctx, err error) error {
	a.guard(fc)
	fc.Set(fiber.HeaderCacheControl, "no-store") // what is missing now may be there soon
	p := problemOf(err, requestID(fc))
	var protocol *fiber.Error
	if errors.As(err, &protocol) {
		p = protocolProblem(protocol.Code, requestID(fc))
	}
	switch {
	case p.Status == http.StatusMethodNotAllowed && fc.Method() == fiber.MethodOptions:
		fc.Status(http.StatusNoContent) // Fiber has set Allow
		return nil
	case p.Status == http.StatusUnauthorized:
		fc.Set(fiber.HeaderWWWAuthenticate, "Bearer")
	case p.Status == http.StatusUpgradeRequired:
		fc.Set(fiber.HeaderUpgrade, "websocket")
		fc.Set(fiber.HeaderSecWebSocketVersion, socketVersion)
	case p.Status == http.StatusRequestEntityTooLarge:
		lingerOn(fc.Context().Conn())
	}
	if p.Code == fault.Internal {
		a.logInternal(fc, err)
	}
	if p.retryAfter != "" {
		fc.Set(fiber.HeaderRetryAfter, p.retryAfter)
	}
	body, err := encodeJSON(p)
	if err != nil {
		return err
	}
	fc.Status(p.Status)
	fc.Set(fiber.HeaderContentType, "application/problem+json")
	return fc.Send(body)
}

// protocolProblem is about HTTP itself, where a status may say more than the
// codes have.
func protocolProblem(status int, requestID string) problem {
	f := fault.New(fault.InvalidArgument, "the request is not valid HTTP")
	switch status {
	case http.StatusNotFound:
		f = fault.New(fault.NotFound, "there is nothing here")
	case http.StatusRequestEntityTooLarge:
		f = fault.New(fault.PayloadTooLarge, "the body is too large")
	case http.StatusRequestHeaderFieldsTooLarge:
		f = fault.New(fault.PayloadTooLarge, "the header is too large")
	case http.StatusRequestTimeout:
		f = fault.New(fault.DeadlineExceeded, "the request did not arrive in time")
	case http.StatusMethodNotAllowed:
		f = fault.New(fault.InvalidArgument, "this method is not allowed here; see the Allow header")
	case http.StatusUpgradeRequired:
		f = fault.New(fault.InvalidArgument, "the WebSocket handshake is not valid")
	default:
		status = http.StatusBadRequest
	}
	p := problemOf(f, requestID)
	if p.Status != status {
		p.Status, p.Title = status, http.StatusText(status)
	}
	return p
}

// logInternal is the one place that logs what went wrong in a request.
func (a *api) logInternal(fc *fiber.Ctx, err error) {
	attrs := []any{slog.String("method", fc.Method()), slog.String("route", fc.Route().Path), slog.Any("error", err)}
	var p *panicError
	if errors.As(err, &p) {
		attrs = append(attrs, slog.String("stack", string(p.stack)))
	}
	a.log.ErrorContext(fc.UserContext(), "request failed", attrs...)
}

const headerRequestID = "X-Request-Id"

// requestID is the id that the client gave the request, if it is harmless,
// else one made here. It is the same whenever it is asked for.
func requestID(fc *fiber.Ctx) string {
	if known, ok := fc.Context().UserValue(idKey{}).(string); ok {
		return known
	}
	given := string(fc.Request().Header.Peek(headerRequestID))
	if !contract.ValidRequestID(given) {
		given = id.New()
	}
	fc.Context().SetUserValue(idKey{}, given)
	return given
}
