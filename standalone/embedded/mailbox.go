package embedded

import (
	"context"
	"slices"
	"sync"
)

// mailbox keeps the last messages until someone waits for them.
type mailbox struct {
	keep int

	mu      sync.Mutex
	mails   []Mail        // oldest first, at most keep
	arrived chan struct{} // closed and replaced whenever one is put
}

func newMailbox(keep int) *mailbox {
	return &mailbox{keep: keep, arrived: make(chan struct{})}
}

// put adds a message and drops the oldest one when there are too many.
func (b *mailbox) put(m Mail) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.mails) == b.keep {
		b.mails = slices.Delete(b.mails, 0, 1)
	}
	b.mails = append(b.mails, m)
	close(b.arrived)
	b.arrived = make(chan struct{})
}

// take removes the oldest message to the address, waiting for one until ctx
// ends.
func (b *mailbox) take(ctx context.Context, to string) (Mail, error) {
	for {
		m, ok, arrived := b.find(to)
		if ok {
			return m, nil
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return Mail{}, ctx.Err()
		}
	}
}

// find removes the oldest message to the address, or else says what to wait
// for.
func (b *mailbox) find(to string) (Mail, bool, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.IndexFunc(b.mails, func(m Mail) bool { return m.sentTo(to) })
	if i < 0 {
		return Mail{}, false, b.arrived
	}
	m := b.mails[i]
	b.mails = slices.Delete(b.mails, i, i+1)
	return m, true, nil
}

// all returns the messages that nobody took, oldest first.
func (b *mailbox) all() []Mail {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.mails)
}
