package rpc

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"go.opentelemetry.io/otel/trace"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/telemetry"
)

// ClientOptions configure a [Client]. The zero value is usable.
type ClientOptions struct {
	// Timeout is what a call gets whose context has no deadline; 0 means 5 s.
	Timeout time.Duration
	// Telemetry receives metrics and spans; nil discards them.
	Telemetry *telemetry.Telemetry
}

// Client calls the methods of services; see [Call]. It is safe for use by
// many goroutines and needs no closing: its one subscription, for answers,
// lives as long as the connection.
type Client struct {
	nc       *nats.Conn
	timeout  time.Duration
	tracer   trace.Tracer
	metrics  *clientMetrics
	inbox    inbox
	repeats  repeats
	departed departed
	groups   groups
	pool     sync.Pool // of *request

	mu     sync.RWMutex
	routes map[routeKey]*route // under mu; grows to the methods called
}

// NewClient returns a client on the caller's connection.
func NewClient(nc *nats.Conn, o ClientOptions) *Client {
	if o.Timeout <= 0 {
		o.Timeout = 5 * time.Second
	}
	if o.Telemetry == nil {
		o.Telemetry = telemetry.Discard("client")
	}
	c := &Client{
		nc:      nc,
		timeout: o.Timeout,
		tracer:  o.Telemetry.Tracer.Tracer(scope),
		metrics: newClientMetrics(o.Telemetry.Metrics),
		inbox:   inbox{nc: nc},
		groups:  groups{lanes: map[string]*lane{}},
		routes:  map[routeKey]*route{},
	}
	c.repeats.fill()
	return c
}

// CallOption changes one call.
type CallOption func(*callOptions)

type callOptions struct{ replica string }

// To asks one replica, whose id [Replicas] or [Server.Replica] told. It is a
// preference: a replica that is gone or about to go, and a method that is not
// Pinned, are answered by the queue group instead.
func To(replica string) CallOption {
	return func(o *callOptions) { o.replica = replica }
}

// Call asks m's service and waits for its answer, as long as ctx has or, if
// it has no deadline, ClientOptions.Timeout. The remaining time goes along,
// so that nobody works for a caller who has left. Calls of a Grouped method
// that meet others of it on their way travel together.
//
// The error, if any, is a *[fault.Error]: the method's own, or
//   - Unavailable with RetryAfter: nobody listened, or NATS was away, for as
//     long as the call could wait (it tries again by itself), or the service
//     was full. The request was not run.
//   - Unavailable without RetryAfter: ctx was cancelled. Unknown outcome.
//   - DeadlineExceeded: no answer came in time, or the connection broke after
//     the request had left. Unknown outcome: it may have run or may yet run.
//     A Repeatable method is first sent again, when the connection broke or
//     after a second of silence, as long as few calls need that.
//   - PayloadTooLarge: the request, or the answer, is larger than NATS takes.
//     In the latter case it has run.
//   - Internal: the service failed and logged why; or request or reply could
//     not be encoded or decoded.
func Call[Req, Rep any](ctx context.Context, c *Client, m contract.Method[Req, Rep], req Req, opts ...CallOption) (Rep, error) {
	var rep Rep
	if f := callMethod(ctx, c, m, &req, &rep, opts); f != nil {
		var none Rep // not a half decoded one
		return none, f
	}
	return rep, nil
}

// CallRaw is [Call] for whoever passes the reply on: it is left as it came.
func CallRaw[Req, Rep any](ctx context.Context, c *Client, m contract.Method[Req, Rep], req Req, opts ...CallOption) (json.RawMessage, error) {
	var rep json.RawMessage
	if f := callMethod(ctx, c, m, &req, &rep, opts); f != nil {
		return nil, f
	}
	return rep, nil
}

func callMethod[Req, Rep any](ctx context.Context, c *Client, m contract.Method[Req, Rep], in, out any, opts []CallOption) *fault.Error {
	r, ok := c.route(routeKey{m.Service, m.Name})
	if !ok {
		r = c.addRoute(routeKey{m.Service, m.Name}, m.Info())
	}
	subject := r.subject
	if replica := optionsOf(opts).replica; replica != "" && m.Pinned && !c.departed.has(replica) {
		if s, err := m.ReplicaSubject(replica); err == nil {
			subject = s
		}
	}
	return c.call(ctx, r, subject, in, out)
}

func optionsOf(opts []CallOption) callOptions {
	if len(opts) == 0 {
		return callOptions{} // spares the allocation below
	}
	var o callOptions
	for _, opt := range opts {
		opt(&o)
	}
	return o
}

// routeKey names a method; route is what calls of it share.
type routeKey struct {
	service contract.Service
	name    string
}

type route struct {
	label      string
	service    contract.Service
	subject    string // of the queue group
	repeatable bool
	grouped    int // calls in a request; 0: not at all
	span       []trace.SpanStartOption
	metrics    *methodMetrics
}

func (c *Client) route(key routeKey) (*route, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	r, ok := c.routes[key]
	return r, ok
}

func (c *Client) addRoute(key routeKey, m contract.MethodInfo) *route {
	label := methodLabel(key.service, key.name)
	r := &route{
		label:      label,
		service:    key.service,
		subject:    m.Subject,
		repeatable: m.Repeatable,
		grouped:    m.Grouped,
		span:       spanOptions(trace.SpanKindClient, key.service, key.name),
		metrics:    c.metrics.of(label),
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.routes[key] = r
	return r
}
