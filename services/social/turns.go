package social

import (
	"context"
	"sync"
)

// turns gives the changes of one room in this process one turn after the other,
// in the order in which they came, because of many at once on one revision all
// but one would have to try again. Between replicas the revision decides. The
// zero value is ready.
type turns struct {
	mu    sync.Mutex
	rooms map[string]*turn // those that are being changed
}

type turn struct {
	free  chan struct{} // holds one while nobody has the turn
	users int           // who has it or waits; under turns.mu
}

// take waits for the turn of a room, until ctx ends. The caller gives it up by
// calling done.
func (t *turns) take(ctx context.Context, roomID string) (done func(), err error) {
	t.mu.Lock()
	if t.rooms == nil {
		t.rooms = make(map[string]*turn)
	}
	of := t.rooms[roomID]
	if of == nil {
		of = &turn{free: make(chan struct{}, 1)}
		of.free <- struct{}{}
		t.rooms[roomID] = of
	}
	of.users++
	t.mu.Unlock()
	leave := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if of.users--; of.users == 0 {
			delete(t.rooms, roomID)
		}
	}
	select {
	case <-of.free:
		return func() { of.free <- struct{}{}; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}
