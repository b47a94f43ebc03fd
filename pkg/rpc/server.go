package rpc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"go.opentelemetry.io/otel/trace"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
	"github.com/parley-im/parley/pkg/telemetry"
)

// ServerOptions configure a [Server]. Only Service is required.
type ServerOptions struct {
	// Service is the name under which micro lists the server. Every method
	// that it handles must belong to it.
	Service contract.Service
	// Version is the build's, as `nats micro ls` shows it. One that is not a
	// semantic version becomes build metadata of 0.0.0.
	Version string
	// Workers is how many requests run at the same time, and as many again of
	// leaf methods; 0 means 256.
	Workers int
	// Queue is how many requests wait for a worker, of each kind; one more is refused at
	// once with Unavailable. 0 means 1024.
	Queue int
	// Timeout is what a request gets whose caller names no deadline, and the
	// most that any gets; 0 means 10 s.
	Timeout time.Duration
	// DrainTimeout is how long Run waits, after its context ended, for the
	// requests in hand before it cancels them; 0 means 5 s.
	DrainTimeout time.Duration
	// Telemetry receives logs, metrics and spans; nil discards them.
	Telemetry *telemetry.Telemetry
}

func (o ServerOptions) withDefaults() ServerOptions {
	if o.Workers <= 0 {
		o.Workers = 256
	}
	if o.Queue <= 0 {
		o.Queue = 1024
	}
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	if o.DrainTimeout <= 0 {
		o.DrainTimeout = 5 * time.Second
	}
	if o.Telemetry == nil {
		o.Telemetry = telemetry.Discard(o.Service)
	}
	return o
}

// Server answers the methods of one service: register them with [Handle],
// then Run.
type Server struct {
	nc        *nats.Conn
	o         ServerOptions
	replica   string
	log       *slog.Logger
	tracer    trace.Tracer
	metrics   *serverMetrics
	endpoints []*endpoint // fixed once Run has begun

	state   atomic.Int32
	stopped chan struct{} // closed when micro's service has stopped, whoever stopped it

	leaving   atomic.Bool  // callers who prefer this replica are told to do so no more
	preferred atomic.Int64 // requests that came for this very replica

	intake sync.RWMutex // held for reading while a request is put into queue
	open   bool         // under intake: the queues take requests
	queue  chan job     // Queue long, closed once open is false
	leaves chan job     // the same for leaf methods
}

// The states of a server, in the order in which it passes through them.
const (
	stateNew int32 = iota
	stateStarting
	stateServing
	stateDraining
	stateStopped
)

// NewServer prepares a replica. Nothing is served, or even subscribed to,
// before Run. The connection stays the caller's: it must outlive Run, and
// nobody may replace its closed and error handlers meanwhile (micro hooks
// itself into them).
func NewServer(nc *nats.Conn, o ServerOptions) *Server {
	o = o.withDefaults()
	return &Server{
		nc:      nc,
		o:       o,
		replica: id.New(),
		log:     o.Telemetry.Log,
		tracer:  o.Telemetry.Tracer.Tracer(scope),
		metrics: newServerMetrics(o.Telemetry.Metrics),
		stopped: make(chan struct{}),
		queue:   make(chan job, o.Queue),
		leaves:  make(chan job, o.Queue),
	}
}

// Replica is the id of this replica: subject-safe, fixed from NewServer on,
// unique to each Server. Callers find it with [Replicas] and prefer it with
// [To].
func (s *Server) Replica() string { return s.replica }

// Ready is nil while requests reach the server: from when NATS has confirmed
// its subscriptions until it drains, except while it is disconnected.
func (s *Server) Ready(context.Context) error {
	switch s.state.Load() {
	case stateNew, stateStarting:
		return fmt.Errorf("%s does not serve yet", s.o.Service)
	case stateServing:
	default:
		return fmt.Errorf("%s has stopped serving", s.o.Service)
	}
	if !s.nc.IsConnected() {
		return fmt.Errorf("%s is disconnected from NATS", s.o.Service)
	}
	return nil
}

// Run serves until ctx ends, then drains: callers who preferred this replica
// turn to others, new requests go there too, and those that had reached this
// process are answered. It is nil after such an
// end, unless requests had to be left unanswered. If the service stops by
// itself (the connection was closed for good) Run returns an error at once.
// It may be called once.
func (s *Server) Run(ctx context.Context) error {
	if !s.state.CompareAndSwap(stateNew, stateStarting) {
		return errors.New("rpc server ran before")
	}
	// Requests in hand outlive ctx; abort ends them when the drain has
	// waited long enough.
	base, abort := context.WithCancel(context.WithoutCancel(ctx))
	defer abort()
	workers := s.startWorkers(base)

	service, err := s.listen(ctx)
	if err == nil {
		s.state.Store(stateServing)
		s.log.InfoContext(ctx, "serving", "replica", s.replica, "methods", len(s.endpoints))
		err = s.wait(ctx)
	} else if ctx.Err() != nil {
		err = nil // told to stop while it waited for NATS
	}
	s.state.Store(stateDraining)
	err = errors.Join(err, s.drain(service, workers, abort))
	s.state.Store(stateStopped)
	return err
}

// wait returns nil when ctx ends, an error when the service stops before.
func (s *Server) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-s.stopped:
		return fmt.Errorf("%s stopped serving: %w", s.o.Service, s.stopCause())
	}
}

func (s *Server) stopCause() error {
	if err := s.nc.LastError(); err != nil {
		return err
	}
	return nats.ErrConnectionClosed
}
