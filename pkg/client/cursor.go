package client

import (
	"context"
	"maps"
	"sync"
)

// Cursors keep, for each room, the seq of the last message that was handled.
// They belong to one user.
type Cursors interface {
	// Load returns all of them; it is called once, by Dial.
	Load(ctx context.Context) (map[string]int64, error)
	// Save keeps those that have changed; they never move back. One call at a
	// time is made. What could not be saved is given again later.
	Save(ctx context.Context, changed map[string]int64) error
}

// MemoryCursors keep cursors for as long as the process lives: a client that
// is closed and dialled again with the same ones goes on where it was. The
// zero value is ready to use.
type MemoryCursors struct {
	mu     sync.Mutex
	byRoom map[string]int64
}

// Load implements [Cursors].
func (m *MemoryCursors) Load(context.Context) (map[string]int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.byRoom), nil
}

// Save implements [Cursors].
func (m *MemoryCursors) Save(_ context.Context, changed map[string]int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.byRoom == nil {
		m.byRoom = make(map[string]int64, len(changed))
	}
	maps.Copy(m.byRoom, changed)
	return nil
}
