package gateway

import (
	"context"
	"sync"

	"github.com/nats-io/nats.go"
)

// flushes has the NATS server confirm subscriptions, those of all who ask at
// about the same time at once: a crowd that connects asks for a few flushes
// together, instead of one or two each.
type flushes struct {
	nc *nats.Conn

	mu      sync.Mutex
	next    *flush // what who asks now waits for; nil: nobody does
	running bool
}

// flush is one question to the server.
type flush struct {
	done chan struct{} // closed when it was answered, or not
	err  error         // of that
}

// wait returns when the server knows of all that was subscribed to before.
func (f *flushes) wait(ctx context.Context) error {
	f.mu.Lock()
	mine := f.next
	if mine == nil {
		mine = &flush{done: make(chan struct{})}
		f.next = mine
	}
	if !f.running {
		f.running = true
		// Ends when nobody waits; one flush after the other, each within flushWait.
		go f.run() //nolint:gosec // G118: a flush is of all who wait, not of one
	}
	f.mu.Unlock()
	select {
	case <-mine.done:
		return mine.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *flushes) run() {
	for {
		f.mu.Lock()
		current := f.next
		f.next, f.running = nil, current != nil
		f.mu.Unlock()
		if current == nil {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), flushWait)
		current.err = f.nc.FlushWithContext(ctx)
		cancel()
		close(current.done)
	}
}
