package gateway

import (
	"context"
	"fmt"
	"hash/maphash"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"go.opentelemetry.io/otel/trace"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/telemetry"
)

const (
	// hubShards bounds how many rooms' pushes are delivered at once; more
	// than there are processors helps nothing.
	hubShards = 16
	// shardQueue is how many pushes may wait for a shard. A full queue drops
	// them, which NATS reports, and the rooms are synced again.
	shardQueue = 8192
	// flushWait bounds how long the NATS server may take to take in new
	// subscriptions.
	flushWait = 3 * time.Second
)

// hub knows which connections here get the pushes of which room and user. It
// holds one NATS subscription per room and per user with connections here,
// on a few shared channels: a subscription of its own goroutine would cost ten
// times the memory.
type hub struct {
	nc      *nats.Conn
	flushes *flushes
	log     *slog.Logger
	tracer  trace.Tracer
	metrics *hubMetrics
	seed    maphash.Seed
	rooms   [hubShards]*roomShard
	users   *userShard

	// resync asks that the user's rooms are read again; set by Run's wiring.
	resync func(userID string)
}

func newHub(nc *nats.Conn, tel *telemetry.Telemetry) *hub {
	h := &hub{
		nc: nc, flushes: &flushes{nc: nc}, log: tel.Log, tracer: tel.Tracer.Tracer(scope),
		seed: maphash.MakeSeed(), users: newUserShard(), resync: func(string) {},
	}
	h.metrics = newHubMetrics(tel.Metrics, h.waiting)
	for i := range h.rooms {
		h.rooms[i] = &roomShard{pushes: make(chan *nats.Msg, shardQueue), rooms: map[string]*localRoom{}}
	}
	return h
}

// Run delivers until ctx ends: one goroutine per shard of rooms, and one for
// users.
func (h *hub) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	for _, s := range h.rooms {
		wg.Go(func() { h.deliverRooms(ctx, s) })
	}
	wg.Go(func() { h.deliverUsers(ctx) })
	wg.Wait()
	return nil
}

// waiting is how many pushes have come and are not delivered yet.
func (h *hub) waiting() int {
	n := len(h.users.pushes)
	for _, s := range h.rooms {
		n += len(s.pushes)
	}
	return n
}

func (h *hub) shard(roomID string) *roomShard {
	return h.rooms[maphash.String(h.seed, roomID)%hubShards]
}

// roomRev is a revision of a room at which a user is in it.
type roomRev struct {
	id  string
	rev int64
}

// join has the connection get the rooms' pushes, and returns when the NATS
// server knows of it: what is published from then on arrives. A room that the
// user is known to have left at its revision or later is passed over. It
// returns how many rooms were new to this gateway.
func (h *hub) join(ctx context.Context, c *conn, rooms ...roomRev) (fresh int, err error) {
	var created, others []*localRoom
	for _, at := range rooms {
		room, isNew, joinErr := h.joinOne(c, at)
		switch {
		case joinErr != nil:
			err = fmt.Errorf("join room: %w", joinErr)
		case room == nil: // in it already, out of it since, or gone
		case isNew:
			created = append(created, room)
		default:
			others = append(others, room)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, flushWait)
	defer cancel()
	if len(created) > 0 {
		flushErr := h.flushes.wait(ctx)
		for _, room := range created {
			close(room.live) // after an error too: nats.go subscribes again when it reconnects
		}
		if flushErr != nil {
			return 0, fmt.Errorf("subscribe to rooms: %w", flushErr)
		}
	}
	for _, room := range others {
		select {
		case <-room.live:
		case <-ctx.Done():
			return 0, fmt.Errorf("subscribe to rooms: %w", ctx.Err())
		}
	}
	return len(created), err
}

// joinOne returns nil when there was nothing to do.
func (h *hub) joinOne(c *conn, at roomRev) (*localRoom, bool, error) {
	claims, _ := c.identity()
	c.roomsMu.Lock()
	defer c.roomsMu.Unlock()
	if c.gone {
		return nil, false, nil
	}
	if known, in := c.rooms[at.id]; in {
		c.rooms[at.id] = max(known, at.rev)
		return nil, false, nil
	}
	room, isNew, err := h.shard(at.id).add(h.nc, at, claims.UserID, c)
	if err == nil && room != nil {
		if c.rooms == nil {
			c.rooms = map[string]int64{}
		}
		c.rooms[at.id] = at.rev
	}
	return room, isNew, err
}

// leave ends the room's pushes to the connection, unless its user is known to
// be in the room at a revision above this one: they were added again.
func (h *hub) leave(c *conn, roomID string, rev int64) {
	c.roomsMu.Lock()
	defer c.roomsMu.Unlock()
	if known, in := c.rooms[roomID]; in && known <= rev {
		delete(c.rooms, roomID)
		h.shard(roomID).remove(roomID, c)
	}
}

// rejoined returns those of the user's connections that are in the room at a
// revision above this one.
func (h *hub) rejoined(userID, roomID string, rev int64) []*conn {
	return slices.DeleteFunc(h.users.conns(userID), func(c *conn) bool {
		known, in := c.in(roomID)
		return !in || known <= rev
	})
}

// attach has the connection get its user's pushes, and returns when the NATS
// server knows of it.
func (h *hub) attach(ctx context.Context, c *conn, userID string) error {
	user, fresh, err := h.users.add(h.nc, userID, c)
	if err != nil {
		return fmt.Errorf("attach user: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, flushWait)
	defer cancel()
	if fresh {
		err := h.flushes.wait(ctx)
		close(user.live) // after an error too: nats.go subscribes again when it reconnects
		if err != nil {
			return fmt.Errorf("subscribe to user: %w", err)
		}
		return nil
	}
	select {
	case <-user.live:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("subscribe to user: %w", ctx.Err())
	}
}

// detach takes the connection out of everything, for good.
func (h *hub) detach(c *conn) {
	if claims, ok := c.identity(); ok {
		h.users.remove(claims.UserID, c)
	}
	c.roomsMu.Lock()
	defer c.roomsMu.Unlock()
	c.gone = true
	for id := range c.rooms {
		h.shard(id).remove(id, c)
	}
	c.rooms = nil
}

// joined is the rooms that the connection gets, with their revisions, as a copy.
func (c *conn) joined() map[string]int64 {
	c.roomsMu.Lock()
	defer c.roomsMu.Unlock()
	return maps.Clone(c.rooms)
}

// in reports whether the connection gets the room, and the highest revision at
// which its user is known to be in it.
func (c *conn) in(roomID string) (rev int64, is bool) {
	c.roomsMu.Lock()
	defer c.roomsMu.Unlock()
	rev, is = c.rooms[roomID]
	return rev, is
}

// Dropped has what a full channel lost be made good.
func (h *hub) Dropped(sub *nats.Subscription) {
	if roomID, _, ok := contract.ParseRoomSubject(sub.Subject); ok {
		h.doubtRoom(roomID)
		return
	}
	if userID, _, ok := contract.ParseUserSubject(sub.Subject); ok {
		h.resync(userID)
	}
}

// doubtRoom has every user of the room here read their rooms again: what was
// lost may have been a message, or anyone's leaving.
func (h *hub) doubtRoom(roomID string) {
	s := h.shard(roomID)
	s.mu.Lock()
	if room, ok := s.rooms[roomID]; ok {
		room.head = 0
	}
	s.mu.Unlock()
	for _, c := range s.conns(roomID) {
		if claims, ok := c.identity(); ok {
			h.resync(claims.UserID)
		}
	}
}

// Reconnected has every user here read their rooms again.
func (h *hub) Reconnected() {
	for _, s := range h.rooms {
		s.doubt()
	}
	for _, userID := range h.users.ids() {
		h.resync(userID)
	}
}

// settle brings the connection's rooms in step with a list that was asked for
// when the connection was in those of before: it joins the missing and leaves
// what is not listed. A room joined since then, or joined again at a higher
// revision, is left alone, and one that the hub knows newer than the list is
// not joined. It returns how many rooms were new to this gateway; of those it
// can't know newer.
func (h *hub) settle(ctx context.Context, c *conn, before map[string]int64, rooms []contract.RoomHeadRev) (fresh int, err error) {
	listed := make(map[string]struct{}, len(rooms))
	current := make([]roomRev, 0, len(rooms))
	for _, room := range rooms {
		listed[room.ID] = struct{}{}
		if !h.shard(room.ID).behind(room.ID, room.Rev) {
			current = append(current, roomRev{room.ID, room.Rev})
		}
	}
	for id, rev := range before {
		if _, ok := listed[id]; !ok {
			h.leave(c, id, rev)
		}
	}
	return h.join(ctx, c, current...)
}
