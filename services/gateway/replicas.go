package gateway

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/parley-im/parley/pkg/rpc"
)

// replicas knows the live replicas of chat, so that each room's requests go
// to the same one while it lives: that one then holds the room's tail and need
// not collide with others. It is a preference; correctness never depends on
// it.
type replicas struct {
	list     func(context.Context) ([]string, error)
	interval time.Duration
	log      *slog.Logger
	live     atomic.Pointer[[]string]
}

func newReplicas(list func(context.Context) ([]string, error), interval time.Duration, log *slog.Logger) *replicas {
	return &replicas{list: list, interval: interval, log: log}
}

// Run looks who lives until ctx ends.
func (r *replicas) Run(ctx context.Context) error {
	tick := time.NewTicker(r.interval)
	defer tick.Stop()
	for {
		live, err := r.list(ctx)
		if err == nil {
			r.live.Store(&live)
		} else if ctx.Err() == nil {
			r.log.DebugContext(ctx, "list replicas of chat", slog.Any("error", err)) // the last list stands
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// chatReplica prefers the room's replica; without one, any may answer.
func (r *replicas) chatReplica(roomID string) []rpc.CallOption {
	live := r.live.Load()
	if live == nil || len(*live) == 0 {
		return nil
	}
	return []rpc.CallOption{rpc.To(rendezvous(*live, roomID))}
}

// rendezvous picks one of the nodes for the key by highest random weight
// (Thaler and Ravishankar 1998): when a node comes or goes, only its own keys
// move.
func rendezvous(nodes []string, key string) string {
	var best string
	var highest uint64
	for i, node := range nodes {
		if w := weight(node, key); i == 0 || w > highest {
			best, highest = node, w
		}
	}
	return best
}

// weight is FNV-1a over both, mixed by the finalizer of MurmurHash3: FNV alone
// leaves the high bits of similar keys alike.
func weight(node, key string) uint64 {
	h := uint64(14695981039346656037)
	for _, s := range [...]string{key, "\x00", node} {
		for i := range len(s) {
			h = (h ^ uint64(s[i])) * 1099511628211
		}
	}
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
