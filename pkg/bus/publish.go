package bus

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"github.com/parley-im/parley/pkg/contract"
)

const (
	// ackTimeout is how long the stream has to acknowledge an event.
	ackTimeout = 5 * time.Second
	// lanes is how many keys are published at the same time.
	lanes = 32
)

// publish puts events into IM_EVENTS: keys side by side, the events of one
// key one after the other, since of two in flight the first could get lost
// and the second arrive. An event that fails stops the later ones of its key.
// It returns those that the stream has, and the first failure.
func publish(ctx context.Context, js jetstream.Publisher, events []contract.Event) ([]contract.Event, error) {
	var (
		mu    sync.Mutex
		acked []contract.Event
		errs  []error
	)
	var g errgroup.Group // its goroutines end with ctx or with their key
	g.SetLimit(lanes)
	for _, queue := range byKey(events) {
		g.Go(func() error {
			n, err := publishInOrder(ctx, js, queue)
			mu.Lock()
			defer mu.Unlock()
			acked = append(acked, queue[:n]...)
			if err != nil {
				errs = append(errs, err)
			}
			return nil
		})
	}
	_ = g.Wait() // they never return an error
	if len(errs) > 0 {
		return acked, fmt.Errorf("publish events, %d keys stopped: %w", len(errs), errs[0])
	}
	return acked, nil
}

// publishInOrder returns how many events, from the first on, the stream has.
func publishInOrder(ctx context.Context, js jetstream.Publisher, queue []contract.Event) (int, error) {
	for i, e := range queue {
		if err := publishOne(ctx, js, e); err != nil {
			return i, fmt.Errorf("event %s on %s: %w", e.ID, e.Subject, err)
		}
	}
	return len(queue), nil
}

// publishOne waits until the stream has the event, now or from an earlier
// attempt under the same id.
func publishOne(ctx context.Context, js jetstream.Publisher, e contract.Event) error {
	ctx, cancel := context.WithTimeout(ctx, ackTimeout)
	defer cancel()
	_, err := js.PublishMsg(ctx, &nats.Msg{Subject: e.Subject, Data: e.Payload, Header: nats.Header{}},
		jetstream.WithMsgID(e.ID), jetstream.WithExpectStream(contract.StreamName))
	return err
}

// byKey splits events by key and keeps their order, that of the keys too.
func byKey(events []contract.Event) [][]contract.Event {
	var queues [][]contract.Event
	index := make(map[string]int)
	for _, e := range events {
		i, ok := index[e.Key]
		if !ok {
			i = len(queues)
			index[e.Key] = i
			queues = append(queues, nil)
		}
		queues[i] = append(queues[i], e)
	}
	return queues
}

// without lists the events that are not done, in their order.
func without(events, done []contract.Event) []contract.Event {
	relayed := make(map[string]bool, len(done))
	for _, e := range done {
		relayed[e.ID] = true
	}
	var left []contract.Event
	for _, e := range events {
		if !relayed[e.ID] {
			left = append(left, e)
		}
	}
	return left
}
