package gateway

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/rpc"
)

// resyncWorkers is how many users' rooms are read at once after a reconnect.
const resyncWorkers = 8

// resyncer reads the rooms of users with connections here again, and puts
// right what pushes may have missed: which rooms they are in, and where the
// rooms' heads stand. It does so when a push was dropped, after a reconnect
// to NATS, and for everyone about once a minute.
type resyncer struct {
	hub      *hub
	calls    *rpc.Client
	interval time.Duration // within which everyone is read once
	log      *slog.Logger

	mu      sync.Mutex
	pending map[string]struct{}
	wake    chan struct{} // capacity 1
}

func newResyncer(h *hub, calls *rpc.Client, interval time.Duration, log *slog.Logger) *resyncer {
	r := &resyncer{hub: h, calls: calls, interval: interval, log: log, pending: map[string]struct{}{}, wake: make(chan struct{}, 1)}
	h.resync = r.Ask
	return r
}

// Ask has one user's rooms read soon. It never blocks.
func (r *resyncer) Ask(userID string) {
	r.mu.Lock()
	r.pending[userID] = struct{}{}
	r.mu.Unlock()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Run works until ctx ends, on one goroutine and resyncWorkers below it.
func (r *resyncer) Run(ctx context.Context) error {
	turn := time.NewTicker(r.interval)
	defer turn.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-turn.C:
			r.batch(ctx, r.hub.users.ids())
		case <-r.wake:
			r.batch(ctx, r.asked())
		}
	}
}

func (r *resyncer) asked() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	users := make([]string, 0, len(r.pending))
	for id := range r.pending {
		users = append(users, id)
	}
	clear(r.pending)
	return users
}

// batch reads the users' rooms. Those that could not be read are asked for
// again, after a pause that lets the other side recover.
func (r *resyncer) batch(ctx context.Context, users []string) {
	var group errgroup.Group
	group.SetLimit(resyncWorkers)
	var failed sync.Map
	for _, userID := range users {
		group.Go(func() error {
			if err := r.one(ctx, userID); err != nil {
				failed.Store(userID, err)
			}
			return nil
		})
	}
	_ = group.Wait() // the workers return nil
	again := 0
	failed.Range(func(userID, err any) bool {
		if again == 0 {
			r.log.Warn("read a user's rooms again", slog.Any("error", err.(error)))
		}
		again++
		r.mu.Lock()
		r.pending[userID.(string)] = struct{}{}
		r.mu.Unlock()
		return true
	})
	if again == 0 || ctx.Err() != nil {
		return
	}
	pause := time.NewTimer(time.Second)
	defer pause.Stop()
	select {
	case <-ctx.Done():
	case <-pause.C:
		r.Ask(users[0])
	}
}

// one puts one user's rooms right. A room that is new is announced by its
// head: a client that does not know the room reads it.
func (r *resyncer) one(ctx context.Context, userID string) error {
	conns := r.hub.users.conns(userID)
	if len(conns) == 0 {
		return nil
	}
	claims, ok := conns[0].identity()
	if !ok {
		return nil
	}
	before := make([][]string, len(conns))
	for i, c := range conns {
		before[i] = c.joined()
	}
	caller := contract.Caller{UserID: userID, SessionID: claims.SessionID}
	reply, err := rpc.Call(ctx, r.calls, contract.ListHeads, contract.ListHeadsRequest{Caller: caller})
	if err != nil {
		return err
	}
	for i, c := range conns {
		fresh, err := r.hub.settle(ctx, c, before[i], reply.Rooms)
		if err != nil {
			return err
		}
		if fresh > 0 {
			r.Ask(userID) // what changed before the subscription is seen next time
		}
	}
	for _, room := range reply.Rooms {
		r.hub.announce(room.ID, room.LastSeq)
	}
	return nil
}
