package rpc

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
)

const (
	// abortGrace is how long handlers may take to notice that their context
	// ended.
	abortGrace = time.Second
	// leaveQuiet without a request for this very replica says that nobody
	// prefers it any more; leaveTime is how long that is waited for.
	leaveQuiet = 50 * time.Millisecond
	leaveTime  = 500 * time.Millisecond
)

// drain answers what has reached this process and lets the rest go elsewhere.
// micro's Stop only asks NATS for no more requests and returns; so:
//
//  1. callers who prefer this replica are told not to, see leave,
//  2. after a round trip NATS has sent the last request (it drops a
//     subscription under the lock that it delivers under; one that comes later
//     is given to another member of the queue group or bounced),
//  3. after a barrier every subscription of the connection has handed over
//     what it held, so the queue can be closed,
//  4. the workers end when the queue is empty, and
//  5. after another round trip their answers are with NATS.
func (s *Server) drain(service micro.Service, workers *sync.WaitGroup, abort context.CancelFunc) error {
	ctx, cancel := context.WithTimeout(context.Background(), s.o.DrainTimeout)
	defer cancel()
	if service != nil {
		s.leave(ctx)
		s.unsubscribe(ctx, service)
	}
	s.intake.Lock()
	s.open = false
	close(s.queue)
	close(s.leaves)
	s.intake.Unlock()

	err := waitFor(ctx, workers)
	if err != nil {
		abort()
		late, cancel := context.WithTimeout(context.Background(), abortGrace)
		defer cancel()
		if err = waitFor(late, workers); err != nil {
			err = fmt.Errorf("drain %s: requests left running: %w", s.o.Service, err)
		}
	}
	if e := s.roundTrip(context.Background()); e != nil && !s.nc.IsClosed() {
		s.log.Warn("last answers may not have left", "error", e)
	}
	return err
}

// leave serves on, and tells callers with each answer that this replica goes,
// until they no longer prefer it. In a cluster their server sends on requests
// for this very replica until it has heard that nobody listens here, and this
// server, which then knows nobody either, drops them without a word. Those for
// the queue group it hands on.
func (s *Server) leave(ctx context.Context) {
	if !slices.ContainsFunc(s.endpoints, func(ep *endpoint) bool { return ep.replica != "" }) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, leaveTime)
	defer cancel()
	s.leaving.Store(true)
	quiet := time.NewTicker(leaveQuiet)
	defer quiet.Stop()
	for seen := int64(-1); seen != s.preferred.Load(); {
		seen = s.preferred.Load()
		select {
		case <-quiet.C:
		case <-ctx.Done():
			return
		}
	}
}

// unsubscribe returns when all requests that NATS sent here are in the queue,
// or when ctx ends.
func (s *Server) unsubscribe(ctx context.Context, service micro.Service) {
	if err := service.Stop(); err != nil {
		s.log.Warn("stop serving", "error", err)
	}
	if err := s.roundTrip(ctx); err != nil {
		return // disconnected: NATS has dropped the subscriptions itself
	}
	handedOver := make(chan struct{})
	if err := s.nc.Barrier(func() { close(handedOver) }); err != nil {
		return
	}
	select {
	case <-handedOver:
	case <-ctx.Done(): // another subscription's callback is stuck
	}
}

// roundTrip is flush for one who has no time to wait for a connection.
func (s *Server) roundTrip(ctx context.Context) error {
	if !s.nc.IsConnected() {
		return nats.ErrConnectionReconnecting
	}
	return s.flush(ctx)
}

// waitFor waits for the workers until ctx ends. The goroutine inside ends
// with them.
func waitFor(ctx context.Context, workers *sync.WaitGroup) error {
	done := make(chan struct{})
	go func() {
		workers.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
