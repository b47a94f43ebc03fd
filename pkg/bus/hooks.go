package bus

import (
	"sync"

	"github.com/nats-io/nats.go"
)

// Hooks tell a service when it may have missed messages. The zero value is
// ready; functions may be added at any time, also after Connect.
//
// They run on the connection's one callback goroutine, in the order in which
// they were added, while messages go on arriving: they should only mark what
// is to be done, and never block.
type Hooks struct {
	mu        sync.Mutex
	reconnect []func()
	dropped   []func(*nats.Subscription)
}

// OnReconnect adds a function that runs after each reconnect, when all
// subscriptions stand again. What was published in between is lost.
func (h *Hooks) OnReconnect(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reconnect = append(h.reconnect, f)
}

// OnDropped adds a function that runs when a subscription was too slow and
// lost messages (a full channel, or its pending limit): once when it starts
// to lose, and again after it had caught up.
func (h *Hooks) OnDropped(f func(*nats.Subscription)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.dropped = append(h.dropped, f)
}

func (h *Hooks) reconnected() {
	h.mu.Lock()
	fs := h.reconnect[:len(h.reconnect):len(h.reconnect)]
	h.mu.Unlock()
	for _, f := range fs {
		f()
	}
}

func (h *Hooks) lost(sub *nats.Subscription) {
	h.mu.Lock()
	fs := h.dropped[:len(h.dropped):len(h.dropped)]
	h.mu.Unlock()
	for _, f := range fs {
		f(sub)
	}
}
