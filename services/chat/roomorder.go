package chat

import (
	"container/list"
	"slices"
	"sync"
	"time"
)

const (
	// roomOrderAge is how long an order is remembered: someone who scrolls
	// through their rooms asks for the next page sooner.
	roomOrderAge = time.Minute
	// maxOrderedRooms bounds the rooms in all orders together, about 100 bytes
	// each.
	maxOrderedRooms = 200_000
)

// roomOrders remembers in which order users' rooms were listed, so that the
// pages after the first need not ask where all the rooms stand only to sort
// them. It is a hint: what a page says of its rooms, and whether they are still
// the user's, is asked anew. A room that was spoken in since stays where it
// was, and comes once; one that is new since is not among them: it belongs
// before the first page.
type roomOrders struct {
	now func() time.Time

	mu     sync.Mutex
	byUser map[string]*roomOrder
	queue  *list.List // *roomOrder, the oldest first
	rooms  int        // in all of them
}

type roomOrder struct {
	userID string
	rooms  []cursor // sorted
	at     time.Time
	place  *list.Element
}

func newRoomOrders(now func() time.Time) *roomOrders {
	return &roomOrders{now: now, byUser: make(map[string]*roomOrder), queue: list.New()}
}

// keep remembers the order of all of a user's rooms, in place of one before.
func (o *roomOrders) keep(userID string, rooms []cursor) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if old, ok := o.byUser[userID]; ok {
		o.forget(old)
	}
	order := &roomOrder{userID: userID, rooms: rooms, at: o.now()}
	order.place = o.queue.PushBack(order)
	o.byUser[userID] = order
	o.rooms += len(rooms)
	for e := o.queue.Front(); e != nil; e = o.queue.Front() {
		oldest := e.Value.(*roomOrder)
		if o.rooms <= maxOrderedRooms && order.at.Sub(oldest.at) < roomOrderAge {
			return
		}
		o.forget(oldest)
	}
}

func (o *roomOrders) forget(order *roomOrder) {
	o.rooms -= len(order.rooms)
	o.queue.Remove(order.place)
	delete(o.byUser, order.userID)
}

// after returns the next n rooms behind a place, and whether there are more.
// It is not ok when no order is remembered.
func (o *roomOrders) after(userID string, place cursor, n int) (next []cursor, more, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	order, ok := o.byUser[userID]
	if !ok || o.now().Sub(order.at) >= roomOrderAge {
		return nil, false, false
	}
	i, found := slices.BinarySearchFunc(order.rooms, place, cursor.compare)
	if found {
		i++
	}
	left := order.rooms[i:]
	return left[:min(n, len(left))], n < len(left), true
}
