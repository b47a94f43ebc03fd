// Package faultystore is a chat store whose inserts go wrong on order, a clock
// that jumps on order, and two stores that break the promises of a store, to see whether that is noticed.
package faultystore

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/parley-im/parley/pkg/probe"
	"github.com/parley-im/parley/services/chat"
)

// Kind is a way in which an insert goes wrong.
type Kind string

// The ways.
const (
	Lose  Kind = "lose"  // stored, but the answer never comes
	Fail  Kind = "fail"  // refused at once, not stored
	Stall Kind = "stall" // the answer never comes in time; stored after a delay

	ReadOnly Kind = "read-only" // refused as by a store that can only be read
	Jump     Kind = "jump"      // no insert: the clock is ahead by Delay from now on
)

// Order has the next Count inserts go wrong.
type Order struct {
	Kind  Kind          `json:"kind"`
	Count int           `json:"count"`
	Delay time.Duration `json:"delay"` // of Stall and Jump, in nanoseconds
}

// errRefused is what a refused insert is answered.
var errRefused = errors.New("the store refuses this insert, as ordered")

// errReadOnly is SQLite's text.
var errReadOnly = errors.New("attempt to write a readonly database (8)")

// Store is a chat.Store that takes orders.
type Store struct {
	chat.Store
	clock  *Clock
	late   sync.WaitGroup // inserts that were stalled
	closed chan struct{}

	mu     sync.Mutex
	orders []Order
}

// New wraps a store; Jump moves the clock.
func New(store chat.Store, clock *Clock) *Store {
	return &Store{Store: store, clock: clock, closed: make(chan struct{})}
}

// Take adds an order, carried out after those taken before; Jump at once.
func (s *Store) Take(o Order) {
	if o.Kind == Jump {
		s.clock.Jump(o.Delay)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.orders = append(s.orders, o)
}

// next is what to do with one insert; its Kind is empty for nothing.
func (s *Store) next() Order {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.orders) > 0 {
		if o := &s.orders[0]; o.Count > 0 {
			o.Count--
			return *o
		}
		s.orders = s.orders[1:]
	}
	return Order{}
}

// Append implements chat.Store, as ordered.
func (s *Store) Append(ctx context.Context, records []chat.Record) (int, error) {
	switch o := s.next(); o.Kind {
	case Fail:
		return 0, errRefused
	case ReadOnly:
		return 0, probe.NotWritable(errReadOnly)
	case Lose:
		_, _ = s.Store.Append(context.WithoutCancel(ctx), records) // whatever comes of it, nobody hears
		<-ctx.Done()
		return 0, ctx.Err()
	case Stall:
		// The caller may change what it passed once it has given up.
		mine := append([]chat.Record(nil), records...)
		s.late.Go(func() { s.appendLate(context.WithoutCancel(ctx), o.Delay, mine) }) // ended by Close
		<-ctx.Done()
		return 0, ctx.Err()
	default:
		return s.Store.Append(ctx, records)
	}
}

// lateWait bounds an insert that was stalled.
const lateWait = 10 * time.Second

func (s *Store) appendLate(ctx context.Context, delay time.Duration, records []chat.Record) {
	select {
	case <-time.After(delay):
	case <-s.closed:
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lateWait)
	defer cancel()
	_, _ = s.Store.Append(ctx, records) // nobody waits for it any more
}

// Close waits for inserts that run late, and drops those that have not begun.
func (s *Store) Close() error {
	close(s.closed)
	s.late.Wait()
	return s.Store.Close()
}
