package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
	"go.opentelemetry.io/otel/trace"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/rpc"
)

// api answers HTTP. Handlers stand in files by their nouns; they know no HTTP
// but for the status of their answer.
type api struct {
	cfg       Config
	log       *slog.Logger
	tracer    trace.Tracer
	metrics   *httpMetrics
	repairs   *repairMetrics
	calls     *rpc.Client
	auth      *authentication
	limiter   *limiter
	buckets   buckets
	replica   func(roomID string) []rpc.CallOption
	origins   *origins
	addresses *addresses
	pages     *pages
	site      *site
	leaving   atomic.Bool // the gateway stops: every answer closes its connection
}

// access says who may make a call, and which limit counts it.
type access int

const (
	page    access = iota // anyone, uncounted
	open                  // anyone, counted by address
	guess                 // anyone, counted by address, and refused while nothing can be counted
	user                  // with an access token, counted by user
	sending               // with an access token, counted as a message
)

// route is one call that the gateway answers.
type route struct {
	method string
	path   string
	access access
	handle func(*request) (answer, error)
}

// routes is the whole HTTP surface, but for WebSocket.
func (a *api) routes() []route {
	const v1 = "/api/v1"
	return []route{
		{http.MethodGet, "/", page, a.home},
		{http.MethodGet, "/assets/:file", page, a.siteFile},
		{http.MethodGet, "/docs", page, a.docs},
		{http.MethodGet, "/docs/:file", page, a.docsFile},
		{http.MethodGet, "/.well-known/jwks.json", page, a.jwks},

		{http.MethodPost, v1 + "/auth/codes", guess, a.sendCode},
		{http.MethodPost, v1 + "/auth/register", guess, a.register},
		{http.MethodPost, v1 + "/auth/login", guess, a.login},
		{http.MethodPost, v1 + "/auth/refresh", open, a.refresh},
		{http.MethodPost, v1 + "/auth/password/reset", guess, a.resetPassword},
		{http.MethodPost, v1 + "/auth/logout", user, a.logout},
		{http.MethodGet, v1 + "/auth/sessions", user, a.listSessions},
		{http.MethodDelete, v1 + "/auth/sessions/:id", user, a.revokeSession},

		{http.MethodGet, v1 + "/users", user, a.findUser},
		{http.MethodGet, v1 + "/users/me", user, a.getMe},
		{http.MethodPatch, v1 + "/users/me", user, a.updateMe},
		{http.MethodPut, v1 + "/users/me/password", user, a.changePassword},
		{http.MethodGet, v1 + "/users/:id", user, a.getUser},

		{http.MethodGet, v1 + "/friends", user, a.listFriends},
		{http.MethodPost, v1 + "/friends", user, a.addFriend},
		{http.MethodDelete, v1 + "/friends/:user_id", user, a.removeFriend},

		{http.MethodGet, v1 + "/rooms", user, a.listRooms},
		{http.MethodPost, v1 + "/rooms", user, a.createRoom},
		{http.MethodGet, v1 + "/rooms/:id", user, a.getRoom},
		{http.MethodPatch, v1 + "/rooms/:id", user, a.renameRoom},
		{http.MethodDelete, v1 + "/rooms/:id", user, a.disbandRoom},

		{http.MethodGet, v1 + "/rooms/:id/members", user, a.listMembers},
		{http.MethodPost, v1 + "/rooms/:id/members", user, a.addMembers},
		{http.MethodPatch, v1 + "/rooms/:id/members/:user_id", user, a.setRole},
		{http.MethodDelete, v1 + "/rooms/:id/members/:user_id", user, a.removeMember},

		{http.MethodGet, v1 + "/rooms/:id/messages", user, a.listMessages},
		{http.MethodPost, v1 + "/rooms/:id/messages", sending, a.sendMessage},
		{http.MethodDelete, v1 + "/rooms/:id/messages/:seq", user, a.removeMessage},
		{http.MethodPut, v1 + "/rooms/:id/read", user, a.setRead},
	}
}

// siteRoutes are the web client's files beside its first page, such as its
// icon, each by its name: any other is still no route.
func (a *api) siteRoutes() []route {
	var routes []route
	for name := range a.site.files {
		if !strings.HasPrefix(name, siteAssets) {
			routes = append(routes, route{http.MethodGet, "/" + name, page, a.siteFile})
		}
	}
	return routes
}

// socketPath is where clients upgrade to WebSocket.
const socketPath = "/api/v1/ws"

// newApp puts everything behind one Fiber app. The handlers of upgrade serve
// WebSocket, behind the same checks of origin as the rest.
func (a *api) newApp(upgrade ...fiber.Handler) *fiber.App {
	app := fiber.New(fiber.Config{
		AppName:                      "parley gateway",
		DisableStartupMessage:        true,
		Immutable:                    true, // else what a handler keeps changes with the next request
		CaseSensitive:                true,
		BodyLimit:                    a.cfg.BodyBytes,
		ReadBufferSize:               a.cfg.HeaderBytes,
		ReadTimeout:                  a.cfg.ReadTimeout,
		WriteTimeout:                 a.cfg.AnswerTimeout,
		IdleTimeout:                  a.cfg.IdleTimeout,
		DisablePreParseMultipartForm: true,
		EnableTrustedProxyCheck:      true,
		TrustedProxies:               a.cfg.TrustedProxies,
		ErrorHandler:                 a.fail,
	})
	app.Use(a.edge)
	for _, r := range append(a.routes(), a.siteRoutes()...) {
		app.Add(r.method, r.path, a.adapt(r))
		if r.access == page {
			r.method = http.MethodHead
			app.Add(r.method, r.path, a.adapt(r))
		}
	}
	if len(upgrade) > 0 {
		app.Get(socketPath, upgrade...)
		app.Server().KeepHijackedConns = true // a socket outlives its handler
	}
	a.refuseUnknownMethods(app)
	return app
}

// adapt turns a route into a Fiber handler: limit, authentication, limit,
// handler, answer.
func (a *api) adapt(r route) fiber.Handler {
	name := r.method + " " + r.path
	return func(fc *fiber.Ctx) error {
		ctx, cancel := context.WithTimeout(fc.UserContext(), a.cfg.RequestTimeout)
		defer cancel()
		ctx, span := a.tracer.Start(ctx, name, asServer)
		defer span.End()
		fc.SetUserContext(ctx)
		req := &request{fiber: fc, ctx: ctx, address: a.addresses.counted(fc)}
		if err := a.handle(r, req); err != nil {
			failed(span, fault.From(err))
			return err
		}
		return nil
	}
}

// handle admits and answers a request.
func (a *api) handle(r route, req *request) error {
	if err := a.admit(r.access, req); err != nil {
		return err
	}
	answer, err := r.handle(req)
	if err != nil {
		return err
	}
	return answer.write(req.fiber)
}

// admit lets a request pass that may, within its limits.
func (a *api) admit(access access, req *request) error {
	switch access {
	case open:
		return a.limitAddress(req, a.buckets.opens)
	case guess:
		return a.limitAddress(req, a.buckets.guesses)
	case user:
		return a.limitUser(req, a.buckets.calls)
	case sending:
		return a.limitUser(req, a.buckets.sends)
	default:
		return nil
	}
}

func (a *api) limitAddress(req *request, b bucket) error {
	if req.address == "" {
		return nil
	}
	return a.limiter.Allow(req.ctx, b, req.address)
}

func (a *api) limitUser(req *request, b bucket) error {
	raw, present, err := bearer(req.fiber)
	if err != nil {
		return err
	}
	if !present {
		return errNoToken
	}
	claims, err := a.auth.authenticate(raw)
	if err != nil {
		return err
	}
	req.caller = contract.Caller{UserID: claims.UserID, SessionID: claims.SessionID}
	return a.limiter.Allow(req.ctx, b, claims.UserID)
}

// bearer is the token of the Authorization header, if there is one.
func bearer(fc *fiber.Ctx) (raw string, present bool, err error) {
	var values []string
	for _, v := range fc.Request().Header.PeekAll(fiber.HeaderAuthorization) {
		values = append(values, string(v)) // a copy: the buffer is the server's
	}
	return parseBearer(values)
}

// refuseUnknownMethods answers what Fiber would in plain text.
func (a *api) refuseUnknownMethods(app *fiber.App) {
	server := app.Server()
	known := server.Handler
	server.Handler = func(rc *fasthttp.RequestCtx) {
		for _, method := range fiber.DefaultMethods {
			if string(rc.Method()) == method {
				known(rc)
				return
			}
		}
		fc := app.AcquireCtx(rc)
		defer app.ReleaseCtx(fc)
		began := time.Now()
		_ = a.fail(fc, fiber.ErrMethodNotAllowed) // it writes into memory
		a.metrics.ended(unmatched, fc.Response().StatusCode(), time.Since(began), trace.SpanContext{})
	}
}
