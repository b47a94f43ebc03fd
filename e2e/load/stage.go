package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// stage is where one scenario is measured.
type stage struct {
	scenario
	text     int
	duration time.Duration
	history  int64 // messages that are acknowledged before it is measured
	replicas int   // of chat; 0: not known
	town     *town
	watched  []process
	profiles profiles
	fs       procfs
	tell     func(format string, args ...any) // progress
}

// measure runs the scenario once.
func (s *stage) measure(ctx context.Context) (*report, error) {
	r, err := s.prepare(ctx, s)
	if err != nil {
		return nil, err
	}
	return s.measureWhole(ctx, r)
}

// between measures the floor right before and right after the scenario.
func (s *stage) between(ctx context.Context) (*report, error) {
	r, err := s.prepare(ctx, s) // which may take minutes
	if err != nil {
		return nil, err
	}
	before, err := s.floor(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("floor: %w", err)
	}
	rep, err := s.measureWhole(ctx, r)
	if err != nil {
		return nil, err
	}
	after, err := s.floor(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("floor: %w", err)
	}
	rep.Floors = []*floor{before, after}
	rep.relate()
	return rep, nil
}

// measureWhole measures a prepared run, and if the scenario wants that, another
// at half the speed.
func (s *stage) measureWhole(ctx context.Context, r *run) (*report, error) {
	rep, err := s.measureRun(ctx, r)
	if err != nil || !s.half || s.rate > 0 || rep.Sends == 0 {
		return rep, err
	}
	slow := *s
	slow.half, slow.rate, slow.history, slow.profiles = false, rep.SendsPerSecond/2, 0, profiles{}
	second, err := slow.measure(ctx)
	if err != nil {
		return nil, err
	}
	rep.HalfRateAck = second.Ack
	rep.Lost += second.Lost
	rep.Doubled += second.Doubled
	rep.Unanswered += second.Unanswered
	return rep, nil
}

// measureRun measures a prepared run: connect, warm up, measure, settle,
// count.
func (s *stage) measureRun(ctx context.Context, r *run) (*report, error) {
	defer r.disconnect()
	before, err := s.fs.readAll(s.watched)
	if err != nil {
		return nil, err
	}
	s.tell("connect %d devices", len(r.devices))
	if err := r.connect(ctx); err != nil {
		return nil, err
	}
	driving, stop := context.WithCancel(ctx)
	defer stop()
	driven := make(chan error, 1)
	go func() { driven <- s.drive(driving, s, r) }() // ends with driving, joined below
	sleep(driving, s.warmUp)
	if s.senders > 0 && !await(ctx, func() bool { return r.meter.sum().AllSends >= s.history }) {
		return nil, ctx.Err()
	}
	defer time.AfterFunc(s.duration, stop).Stop()
	used, err := s.window(ctx, r, driven)
	if err != nil {
		return nil, err
	}
	s.tell("settle")
	unanswered := r.settle(ctx)
	r.disconnect()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return s.report(r, unanswered, before, used), nil
}

// used is what was used between two moments.
type used struct {
	took        time.Duration
	from, until []usage // of the watched processes
	self        time.Duration
}

// window measures until the drive ends, with progress every second.
func (s *stage) window(ctx context.Context, r *run, driven <-chan error) (u used, err error) {
	if u.from, err = s.fs.readAll(s.watched); err != nil {
		return u, err
	}
	selfBefore, _ := s.fs.read(os.Getpid()) // zero where there is no /proc
	began := r.now()
	r.meter.open(began, s.duration)
	profiled := s.profiles.take(context.WithoutCancel(ctx), s.name, s.duration)
	defer func() { err = errors.Join(err, profiled()) }()
	second := time.NewTicker(time.Second)
	defer second.Stop()
	var last counts
	for running := true; running; {
		select {
		case <-second.C:
			all := r.meter.sum()
			s.tell("%s %3.0fs  %d sends/s  %d deliveries/s", s.name, (r.now() - began).Seconds(),
				all.AllSends-last.AllSends, all.AllDeliveries-last.AllDeliveries)
			last = all
		case err = <-driven:
			running = false
		}
	}
	u.took = r.now() - began
	if err != nil {
		return u, fmt.Errorf("%s: %w", s.name, err)
	}
	self, _ := s.fs.read(os.Getpid())
	u.self = self.CPU - selfBefore.CPU
	u.until, err = s.fs.readAll(s.watched)
	return u, err
}
