package main

import (
	"context"
	"strings"
)

// offeredShares are the offered loads, as shares of what a closed loop makes:
// so the curve has its bend in the middle on any machine.
var offeredShares = []float64{0.1, 0.25, 0.5, 0.7, 0.85, 1, 1.15, 1.3}

// Rates at which costs are compared: low enough for any machine, since cost
// falls with load, which must be the same everywhere.
const (
	sweepSends      = 500.0    // a second
	sweepDeliveries = 25_000.0 // a second
)

// offered raises the rate of an open loop on one system.
func offered(scenario string) func(context.Context, *sweeper) error {
	return func(ctx context.Context, w *sweeper) error {
		s, stop, err := w.begin(ctx, scenario, w.size)
		if err != nil {
			return err
		}
		defer stop()
		closed, err := s.measure(ctx)
		if err != nil {
			return err
		}
		for _, share := range offeredShares {
			s.rate = closed.SendsPerSecond * share
			if err := w.add(ctx, s, s.rate); err != nil {
				return err
			}
		}
		return nil
	}
}

// figGatewayMemory is the resident memory of all gateways together.
const figGatewayMemory = "gateway_memory_bytes"

// overConnections connects ever more of the same people, who stay.
func overConnections(ctx context.Context, w *sweeper) error {
	s, stop, err := w.begin(ctx, "idle", w.size)
	if err != nil {
		return err
	}
	defer stop()
	s.conns = 10_000
	s.scenario = w.fill(s.scenario)
	if err := checkFiles(s.conns); err != nil {
		return err
	}
	r, err := s.prepare(ctx, s)
	if err != nil {
		return err
	}
	defer r.disconnect()
	const steps = 10
	for step := range steps + 1 {
		n := len(r.devices) * step / steps
		s.tell("connect %d of %d", n, len(r.devices))
		if err := r.connectTo(ctx, n); err != nil {
			return err
		}
		sleep(ctx, w.settle)
		memory, err := s.gatewayMemory()
		if err != nil {
			return err
		}
		w.Points = append(w.Points, point{X: float64(n), Figures: map[string]float64{figGatewayMemory: float64(memory)}})
	}
	return ctx.Err()
}

func (s *stage) gatewayMemory() (sum int64, err error) {
	for _, p := range s.watched {
		if !strings.HasPrefix(p.name, "gateway") {
			continue
		}
		u, err := s.fs.read(p.pid)
		if err != nil {
			return 0, err
		}
		sum += u.Memory
	}
	return sum, nil
}

// overRooms has the same sends go to ever more groups, each of 5 people of
// their own.
func overRooms(ctx context.Context, w *sweeper) error {
	return w.grow(ctx, "persist", []int{20, 50, 100, 200, 400}, func(s *stage, groups int) {
		s.conns, s.rate = groups*s.members, sweepSends
		s.senders = s.conns
	})
}

// overMembers has as many deliveries come from ever fewer sends.
func overMembers(ctx context.Context, w *sweeper) error {
	return w.grow(ctx, "hotroom", []int{10, 30, 100, 300, 1000}, func(s *stage, members int) {
		s.members, s.rate = members, sweepDeliveries/float64(members)
	})
}

// grow measures one system at several values.
func (w *sweeper) grow(ctx context.Context, scenario string, values []int, set func(*stage, int)) error {
	s, stop, err := w.begin(ctx, scenario, w.size)
	if err != nil {
		return err
	}
	defer stop()
	for _, v := range values {
		set(s, v)
		if err := w.add(ctx, s, float64(v)); err != nil {
			return err
		}
	}
	return nil
}

// overGateways spreads a group of 100 over ever more gateways.
func overGateways(ctx context.Context, w *sweeper) error {
	return w.scale(ctx, "hotroom", sweepDeliveries/100, func(n int) size { return size{gateways: n, chats: w.size.chats} })
}

// overReplicas spreads groups over ever more replicas of chat.
func overReplicas(ctx context.Context, w *sweeper) error {
	return w.scale(ctx, "persist", sweepSends, func(n int) size { return size{gateways: w.size.gateways, chats: n} })
}

// scale measures systems of 1 to 4 processes of a kind.
func (w *sweeper) scale(ctx context.Context, scenario string, rate float64, of func(n int) size) error {
	for n := 1; n <= 4; n++ {
		err := func() error {
			s, stop, err := w.begin(ctx, scenario, of(n))
			if err != nil {
				return err
			}
			defer stop()
			s.rate = rate
			return w.add(ctx, s, float64(n))
		}()
		if err != nil {
			return err
		}
	}
	return nil
}
