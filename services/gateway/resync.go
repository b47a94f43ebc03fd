package gateway

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/rpc"
)

const (
	// resyncWorkers is how many users' rooms are read at once at most: calls
	// that travel together.
	resyncWorkers = 32
	// resyncTick is the shortest wait for the next of a turn: of many users,
	// those who are due in it are read together, at a quarter of the cost.
	resyncTick = 500 * time.Millisecond
)

// resyncer reads the rooms of users with connections here again, and puts
// right what pushes may have missed: which rooms they are in, and where the
// rooms' heads stand. It does so soon for who is asked for, as after a dropped
// push or a reconnect to NATS, and for everyone in turn about once a minute.
type resyncer struct {
	hub     *hub
	calls   *rpc.Client
	log     *slog.Logger
	metrics *resyncMetrics

	asks     *asks
	turn     *turn // Run's goroutine alone uses it
	setbacks *setbacks
}

func newResyncer(h *hub, calls *rpc.Client, interval time.Duration, metrics prometheus.Registerer, log *slog.Logger) *resyncer {
	r := &resyncer{
		hub: h, calls: calls, log: log,
		asks: newAsks(), turn: newTurn(interval, h.users.ids), setbacks: newSetbacks(time.Now),
	}
	r.metrics = newResyncMetrics(metrics, r.asks.waiting)
	h.resync = r.Ask
	return r
}

// Ask has one user's rooms read soon. It never blocks.
func (r *resyncer) Ask(userID string) { r.asks.add(userID) }

// Run works until ctx ends, on its goroutine and resyncWorkers below it.
func (r *resyncer) Run(ctx context.Context) error {
	var workers errgroup.Group
	workers.SetLimit(resyncWorkers)
	for {
		userID, ok := r.next(ctx)
		if !ok {
			return workers.Wait() // they return nil
		}
		workers.Go(func() error { // waits for a place
			r.read(ctx, userID)
			return nil
		})
	}
}

// next waits for the next user to be read: one who was asked for before one
// whose turn it is. It returns false when ctx has ended.
func (r *resyncer) next(ctx context.Context) (userID string, ok bool) {
	for ctx.Err() == nil {
		wait := r.setbacks.pause()
		wake := r.asks.wake
		if wait > 0 {
			wake = nil // an ask does not end the pause
		} else {
			if userID, ok := r.asks.take(); ok {
				return userID, true
			}
			if userID, wait = r.turn.due(time.Now()); userID != "" {
				soon := time.Now().Add(-r.turn.interval / 2)
				if !r.hub.users.readSince(userID, soon) && r.asks.start(userID) {
					return userID, true
				}
				continue
			}
			wait = max(wait, resyncTick)
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-wake:
		case <-timer.C:
		}
		timer.Stop()
	}
	return "", false
}

// read reads one user's rooms and keeps account of the outcome. A user whose
// rooms could not be read is asked for again after a pause.
func (r *resyncer) read(ctx context.Context, userID string) {
	defer r.asks.done(userID)
	conns := r.hub.users.conns(userID)
	if len(conns) == 0 {
		r.setbacks.gone(userID)
		return
	}
	err := r.one(ctx, userID, conns)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		r.metrics.failed.Inc()
		if tell := r.setbacks.failed(userID, func() { r.Ask(userID) }); tell > 0 {
			r.log.WarnContext(ctx, "read users' rooms again", slog.Any("error", err), slog.Int("failures", tell))
		}
	default:
		r.metrics.read.Inc()
		r.setbacks.succeeded(userID)
		r.hub.users.noteRead(userID, time.Now())
	}
}

// one puts one user's rooms right on their connections here.
func (r *resyncer) one(ctx context.Context, userID string, conns []*conn) error {
	claims, ok := conns[0].identity()
	if !ok {
		return nil
	}
	before := make([]map[string]int64, len(conns))
	for i, c := range conns {
		before[i] = c.joined()
	}
	caller := contract.Caller{UserID: userID, SessionID: claims.SessionID}
	rooms, err := listHeads(ctx, r.calls, caller)
	if err != nil {
		return err
	}
	for i, c := range conns {
		fresh, err := r.hub.settle(ctx, c, before[i], rooms)
		if err != nil {
			return err
		}
		if fresh > 0 {
			r.Ask(userID) // what changed before the subscription is seen next time
		}
		r.hub.introduce(c, before[i], rooms)
	}
	for _, room := range rooms {
		r.hub.announce(room.ID, room.LastSeq)
	}
	return nil
}

// resyncMetrics counts readings.
type resyncMetrics struct{ read, failed prometheus.Counter }

func newResyncMetrics(reg prometheus.Registerer, waiting func() int) *resyncMetrics {
	total := prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "parley", Subsystem: "gateway", Name: "resyncs_total", Help: "Readings of a connected user's rooms, beside those at connecting, by outcome.",
	}, []string{"outcome"})
	reg.MustRegister(total, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "parley", Subsystem: "gateway", Name: "resync_waiting", Help: "Users that were asked for and wait until their rooms are read.",
	}, func() float64 { return float64(waiting()) }))
	return &resyncMetrics{read: total.WithLabelValues("read"), failed: total.WithLabelValues("failed")}
}
