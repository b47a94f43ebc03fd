package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/rpc"
)

// household is a hub with users who have rooms of their own, and a chat that
// answers list_heads for them.
type household struct {
	*resyncer
	conns map[string]*conn // by user

	asked  atomic.Int64  // list_heads
	groups atomic.Int64  // requests that these came in
	gate   chan struct{} // unless nil, nothing is answered until it is closed
	at     sync.Map      // calls by user
	mu     sync.Mutex
	rooms  map[string][]contract.RoomHeadRev
	broken error
	page   int // rooms on a page of list_heads
}

func newHousehold(t testing.TB, users, rooms int, interval time.Duration, log *slog.Logger) *household {
	t.Helper()
	hub, nc := testHub(t)
	hh := &household{conns: map[string]*conn{}, rooms: map[string][]contract.RoomHeadRev{}, page: contract.MaxRoomPage}
	hh.resyncer = newResyncer(hub, rpc.NewClient(hub.nc, rpc.ClientOptions{}), interval, prometheus.NewRegistry(), log)
	hh.serve(t, nc)
	for i := range users {
		userID := fmt.Sprintf("user-%05d", i)
		c := attached(t, hub, userID)
		ids := make([]string, rooms)
		for j := range ids {
			ids[j] = fmt.Sprintf("room-%05d-%03d", i, j)
			hh.rooms[userID] = append(hh.rooms[userID], contract.RoomHeadRev{RoomHead: contract.RoomHead{ID: ids[j], LastSeq: 1}, Rev: 1})
		}
		join(t, hub, c, ids...)
		hh.conns[userID] = c
	}
	return hh
}

func (hh *household) serve(t testing.TB, nc *nats.Conn) {
	s := rpc.NewServer(nc, rpc.ServerOptions{Service: contract.Chat})
	rpc.HandleGroup(s, contract.ListHeads, func(ctx context.Context, reqs []contract.ListHeadsRequest) []rpc.Result[contract.ListHeadsReply] {
		hh.groups.Add(1)
		hh.asked.Add(int64(len(reqs)))
		if hh.gate != nil {
			<-hh.gate
		}
		return rpc.Each(ctx, reqs, hh.listHeads)
	})
	background(t, s.Run)
}

func (hh *household) listHeads(_ context.Context, req contract.ListHeadsRequest) (contract.ListHeadsReply, error) {
	n, _ := hh.at.LoadOrStore(req.Caller.UserID, new(atomic.Int64))
	n.(*atomic.Int64).Add(1)
	hh.mu.Lock()
	defer hh.mu.Unlock()
	return headsPage(hh.rooms[req.Caller.UserID], req.Cursor, hh.page), hh.broken
}

// readings is how often the user's rooms were asked for.
func (hh *household) readings(userID string) int64 {
	n, ok := hh.at.Load(userID)
	if !ok {
		return 0
	}
	return n.(*atomic.Int64).Load()
}

// told takes what waits for all connections, and counts it.
func (hh *household) told() int {
	n := 0
	for _, c := range hh.conns {
		batch := drain(c)
		n += len(batch)
		for _, o := range batch {
			c.queue.done(o.size)
		}
	}
	return n
}

// everyone reads all users' rooms once, by the workers of a turn without its
// pace.
func (hh *household) everyone(t testing.TB) {
	t.Helper()
	var wg sync.WaitGroup
	users := make(chan string)
	for range resyncWorkers {
		wg.Go(func() {
			for userID := range users {
				if err := hh.one(t.Context(), userID, hh.hub.users.conns(userID)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for userID := range hh.conns {
		users <- userID
	}
	close(users)
	wg.Wait()
}

// quiet is a log that nobody reads.
func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }
