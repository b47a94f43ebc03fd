package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	stormMissed = 5 // messages in each room while all are away
	stormWait   = 2 * time.Minute
	stormPause  = time.Second // between two
)

// errBehind ends a storm after which somebody still lacks a message.
var errBehind = errors.New("not all are caught up")

// storms breaks all connections, has messages sent meanwhile, and lets all
// connect again at once; as often as there is time, once at least.
func storms(ctx context.Context, s *stage, r *run) error {
	for first := true; first || ctx.Err() == nil; first = false {
		took, err := r.storm(context.WithoutCancel(ctx), func(ctx context.Context) error { return r.sayWhileAway(ctx, s) })
		if errors.Is(err, errBehind) {
			return nil // what still lacks when all has settled is counted as lost
		}
		if err != nil {
			return err
		}
		s.tell("storm: all back after %v", took.Round(time.Millisecond))
		r.stormed = append(r.stormed, took)
		sleep(ctx, stormPause)
	}
	return nil
}

// bareStorm is one storm in which nobody misses anything.
func bareStorm(ctx context.Context, _ *stage, r *run) error {
	took, err := r.storm(context.WithoutCancel(ctx), func(context.Context) error { return nil })
	r.stormed = append(r.stormed, took)
	return err
}

// storm returns the time from the opened gate until every device has all that
// it had missed; errBehind when all are connected and some never get it.
// Meanwhile is done while all are away.
func (r *run) storm(ctx context.Context, meanwhile func(context.Context) error) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, stormWait)
	defer cancel()
	gate := make(chan struct{})
	for _, d := range r.devices {
		d.dropUntil(gate)
	}
	err := fmt.Errorf("storm: not all connections ended")
	if await(ctx, func() bool { return r.connected() == 0 }) {
		err = meanwhile(ctx)
	}
	began := time.Now()
	close(gate)
	if err != nil {
		return 0, err
	}
	if await(ctx, func() bool { return r.connected() == len(r.devices) && r.behind() == 0 }) {
		return time.Since(began), nil
	}
	if back := r.connected(); back < len(r.devices) {
		return 0, fmt.Errorf("storm: after %v, %d of %d are connected, %v", time.Since(began).Round(time.Second), back, len(r.devices), r.meter.failures())
	}
	return 0, errBehind
}

// sayWhileAway has each room's first member send over HTTP.
func (r *run) sayWhileAway(ctx context.Context, s *stage) error {
	return s.town.each(ctx, len(r.rooms), calling, "storm: messages in room", func(ctx context.Context, i int) error {
		to := r.rooms[i]
		for range stormMissed {
			d := to.members[0]
			sent, err := s.town.people[d.index].say(ctx, to.id, d.nextClientID(), r.text)
			if err != nil {
				return err
			}
			if !to.ack(sent.Seq) {
				r.meter.add(d.index, func(s *stripe) { s.Doubled++ })
			}
			r.meter.add(d.index, func(s *stripe) { s.Sends++; s.AllSends++ })
		}
		return nil
	})
}
