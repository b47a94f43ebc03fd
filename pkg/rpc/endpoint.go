package rpc

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/payload"
)

// endpoint is one method as the server holds it, without its types.
type endpoint struct {
	label   string // service.method, for people
	name    string // of the method, and of micro's endpoint: no dots
	subject string
	replica string // where only this replica listens; empty unless pinned
	leaf    bool   // see contract.Method
	// serve decodes data, runs the handler and encodes its reply into out.
	serve func(ctx context.Context, data []byte, out *bytes.Buffer) error
	// serveGroup does so with several requests; nil unless the method is
	// grouped. It returns the fault of each, nil for those that have none.
	serveGroup func(ctx context.Context, data []byte, out *bytes.Buffer) ([]*fault.Error, error)

	span    []trace.SpanStartOption
	metrics *methodMetrics
	tally   tally
}

// Handle registers h to answer m, to be called before Run.
//
// h gets the request decoded (fields that it does not know are ignored, so
// that a newer caller may send more) but not checked, and a context that ends
// when the caller stops waiting. It runs beside other calls of itself. What
// it returns as error goes to the caller as [fault.From] sees it: a fault as
// it is, whatever else as Internal without its text, which is logged here.
// A panic is Internal too. Of a Grouped method, h gets each of the requests
// that came together, as [Each] has it.
//
// Handle panics on what only a wrong program can do: a method of another
// service, one that is handled already, or a server that runs.
func Handle[Req, Rep any](s *Server, m contract.Method[Req, Rep], h func(context.Context, Req) (Rep, error)) {
	if m.Grouped > 0 {
		HandleGroup(s, m, func(ctx context.Context, reqs []Req) []Result[Rep] { return Each(ctx, reqs, h) })
		return
	}
	ep := newEndpoint(s, m)
	ep.serve = func(ctx context.Context, data []byte, out *bytes.Buffer) error {
		var req Req
		if err := payload.Decode(data, &req); err != nil {
			return badRequest(err)
		}
		rep, err := h(ctx, req)
		return reply(out, &rep, err)
	}
	s.add(m.Service, ep)
}

func newEndpoint[Req, Rep any](s *Server, m contract.Method[Req, Rep]) *endpoint {
	ep := &endpoint{name: m.Name, subject: m.Subject(), leaf: m.Leaf}
	if m.Pinned {
		subject, err := m.ReplicaSubject(s.replica)
		if err != nil {
			panic(fmt.Sprintf("rpc: handle %s: %v", ep.subject, err))
		}
		ep.replica = subject
	}
	return ep
}

// reply encodes what a handler returned into out, unless that is an error.
func reply(out *bytes.Buffer, rep any, err error) error {
	if err != nil {
		return err
	}
	if err := encode(out, rep); err != nil {
		return fmt.Errorf("encode reply: %w", err)
	}
	return nil
}

func (s *Server) add(owner contract.Service, ep *endpoint) {
	if owner != s.o.Service {
		panic(fmt.Sprintf("rpc: %s handles %s", s.o.Service, ep.subject))
	}
	if s.state.Load() != stateNew {
		panic(fmt.Sprintf("rpc: %s registered after Run", ep.subject))
	}
	for _, other := range s.endpoints {
		if other.name == ep.name {
			panic(fmt.Sprintf("rpc: %s handled twice", ep.subject))
		}
	}
	ep.label = methodLabel(owner, ep.name)
	ep.span = spanOptions(trace.SpanKindServer, owner, ep.name, attribute.String("parley.replica", s.replica))
	ep.metrics = s.metrics.of(ep.label)
	s.endpoints = append(s.endpoints, ep)
}

// badRequest says what is wrong with a body, but not what was in it.
func badRequest(err error) error {
	var wrong *payload.WrongTypeError
	if errors.As(err, &wrong) {
		return fault.Invalid(wrong.Field, "has the wrong type")
	}
	return fault.New(fault.InvalidArgument, "the request is not the JSON that the method takes")
}
