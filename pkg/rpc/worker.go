package rpc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/telemetry"
)

// job is a request on its way to a worker. Of req only what reads it may be
// used: micro looks at what its answering methods leave behind as soon as
// accept has returned, so a worker that called them would race with it.
type job struct {
	ep      *endpoint
	req     micro.Request
	arrived time.Time
	// preferred requests came for this very replica.
	preferred bool
}

// accept takes a request from NATS. It runs on the subscription's goroutine,
// where it must not block: the endpoint's next request waits behind it.
func (s *Server) accept(ep *endpoint, req micro.Request, preferred bool) {
	if req.Reply() == "" {
		return // published, not requested: nobody could learn what became of it
	}
	if preferred {
		s.preferred.Add(1)
	}
	f := s.enqueue(job{ep: ep, req: req, arrived: time.Now(), preferred: preferred})
	if f == nil {
		return
	}
	ep.ended(callsIn(nats.Header(req.Headers())), f, 0, trace.SpanContext{})
	if err := req.Error(wireError(f)); err != nil {
		s.log.Warn("refusal not sent", "method", ep.label, "error", err)
	}
}

// enqueue leaves j to the workers, or says why not; it does not wait.
func (s *Server) enqueue(j job) *fault.Error {
	s.intake.RLock()
	defer s.intake.RUnlock()
	if !s.open {
		return fault.New(fault.Unavailable, "this replica is stopping").After(retryHint())
	}
	s.metrics.queued.Inc()
	queue := s.queue
	if j.ep.leaf {
		queue = s.leaves
	}
	select {
	case queue <- j:
		return nil
	default:
		s.metrics.queued.Dec()
		return fault.New(fault.Unavailable, "the service has too much to do").After(retryHint())
	}
}

// startWorkers opens the queues. The workers belong to Run; they end when their
// queue is closed and empty.
func (s *Server) startWorkers(base context.Context) *sync.WaitGroup {
	s.intake.Lock()
	s.open = true
	s.intake.Unlock()
	var workers sync.WaitGroup
	for range s.o.Workers {
		workers.Go(func() { s.serveQueue(base, s.queue) })
		workers.Go(func() { s.serveQueue(base, s.leaves) })
	}
	return &workers
}

// serveQueue is one worker.
func (s *Server) serveQueue(base context.Context, queue <-chan job) {
	var replies bytes.Buffer // reused: NATS copies what is published
	for j := range queue {
		s.metrics.queued.Dec()
		s.work(base, j, &replies)
		recycle(&replies)
	}
}

// work runs one request under its caller's deadline and answers it.
func (s *Server) work(base context.Context, j job, out *bytes.Buffer) {
	s.metrics.inFlight.Inc()
	defer s.metrics.inFlight.Dec()
	header := nats.Header(j.req.Headers())
	ctx, cancel := context.WithDeadline(base, j.arrived.Add(s.timeout(header)))
	defer cancel()
	if id := header.Get(contract.HeaderRequestID); contract.ValidRequestID(id) {
		ctx = telemetry.WithRequest(ctx, id)
	}
	ctx, span := s.tracer.Start(telemetry.Extract(ctx, header), j.ep.label, j.ep.span...)
	defer span.End()

	each, f := s.run(ctx, j, header.Get(contract.HeaderGroup) != "", out)
	f = s.answer(ctx, j, out.Bytes(), f)
	if f != nil {
		span.SetStatus(codes.Error, string(f.Code))
	}
	took := time.Since(j.arrived)
	if f != nil || each == nil {
		j.ep.ended(callsIn(header), f, took, span.SpanContext())
		return
	}
	for _, f := range each {
		if f != nil && f.Code == fault.Internal {
			s.logInternal(ctx, j, f)
		}
		j.ep.ended(1, f, took, span.SpanContext())
	}
}

// callsIn is how many calls a request says that it holds.
func callsIn(header nats.Header) int {
	n, err := strconv.Atoi(header.Get(contract.HeaderGroup))
	if err != nil {
		return 1 // nearly all: they are none of a group
	}
	return min(max(n, 1), contract.MaxGroup)
}

// ended counts calls that came to the same end; f is nil when they went well.
func (ep *endpoint) ended(calls int, f *fault.Error, took time.Duration, span trace.SpanContext) {
	for range calls {
		ep.metrics.ended(f, took, span)
		ep.tally.ended(f, took)
	}
}

// timeout is how long the caller waits, as far as the server goes along.
func (s *Server) timeout(header nats.Header) time.Duration {
	ms, err := strconv.ParseInt(header.Get(contract.HeaderTimeout), 10, 64)
	if err != nil || ms < 0 || ms > s.o.Timeout.Milliseconds() {
		return s.o.Timeout
	}
	return time.Duration(ms) * time.Millisecond
}

// run calls the handler; a nil fault means that out holds its reply, or those
// of a group, of which each may have a fault. A request whose caller has given
// up while it waited is not run.
func (s *Server) run(ctx context.Context, j job, group bool, out *bytes.Buffer) (each []*fault.Error, f *fault.Error) {
	defer func() {
		if v := recover(); v != nil {
			f = fault.New(fault.Internal, "").Because(&panicError{value: v, stack: debug.Stack()})
		}
	}()
	err := ctx.Err()
	switch {
	case err != nil:
	case !group:
		err = j.ep.serve(ctx, j.req.Data(), out)
	case j.ep.serveGroup == nil:
		err = fault.New(fault.InvalidArgument, "the method takes no groups")
	default:
		each, err = j.ep.serveGroup(ctx, j.req.Data(), out)
	}
	if err == nil {
		return each, nil
	}
	return nil, asFault(err)
}

// asFault is [fault.From] for a handler's error, which is never nil.
func asFault(err error) *fault.Error {
	if f := fault.From(err); f != nil {
		return f
	}
	return fault.New(fault.Internal, "").Because(errors.New("handler returned a nil *fault.Error"))
}

// panicError is what a handler panicked with.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }
