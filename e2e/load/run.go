package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	connectWait = 2 * time.Minute  // until all devices are ready
	answerWait  = 20 * time.Second // until the last sends have their answer
	settleWait  = 30 * time.Second // until every member has every message
	repairPause = time.Second      // until members ask who lack something
	settlePoll  = 20 * time.Millisecond
	dialsAtOnce = 64 // while devices connect before a measurement
)

// run is one scenario, or one floor, on its way: its clock, its devices, its
// rooms, and what is counted.
type run struct {
	id    uint32 // in its client_ids
	start time.Time
	text  string // of every message, JSON that needs no escape
	meter *meter

	devices []*device
	rooms   []*room

	stopping atomic.Bool     // closed loops send no more
	stormed  []time.Duration // how long each storm took
	begun    int             // devices that have begun to live
	life     context.Context // theirs
	cancel   context.CancelFunc
	living   sync.WaitGroup
}

func newRun(textLength int) *run {
	return &run{id: rand.Uint32(), start: time.Now(), text: strings.Repeat("x", textLength), meter: newMeter()}
}

// now is the time since the run began.
func (r *run) now() time.Duration { return time.Since(r.start) }

// device adds a device.
func (r *run) device(gateway string, token func(context.Context) (string, error)) *device {
	d := &device{run: r, index: len(r.devices), gateway: gateway, token: token, pending: map[uint64]*sending{}, done: make(chan struct{})}
	r.devices = append(r.devices, d)
	return d
}

// room adds a room with these members.
func (r *run) room(id string, members ...*device) *room {
	added := &room{id: id}
	for _, d := range members {
		d.join(added)
	}
	r.rooms = append(r.rooms, added)
	return added
}

// connect has all devices connect, some at once, and returns when all are
// ready.
func (r *run) connect(ctx context.Context) error { return r.connectTo(ctx, len(r.devices)) }

// connectTo has devices connect until the first n are; nobody else may call it
// meanwhile.
func (r *run) connectTo(ctx context.Context, n int) error {
	if r.cancel == nil {
		r.life, r.cancel = context.WithCancel(context.WithoutCancel(ctx)) // by disconnect
	}
	ctx, cancel := context.WithTimeout(ctx, connectWait)
	defer cancel()
	turns := make(chan struct{}, dialsAtOnce)
	for _, d := range r.devices[r.begun:n] {
		select {
		case turns <- struct{}{}:
		case <-ctx.Done():
			return fmt.Errorf("connect devices: %w, %v", ctx.Err(), r.meter.failures())
		}
		r.begun++
		r.living.Go(func() { d.live(r.life) }) // ended and joined by disconnect
		go func() {                            // ends with its device's first connection, or with ctx
			defer func() { <-turns }()
			await(ctx, d.connected.Load)
		}()
	}
	if !await(ctx, func() bool { return r.connected() == n }) {
		return fmt.Errorf("connect devices: %w, %v", ctx.Err(), r.meter.failures())
	}
	return nil
}

// connected is how many devices are.
func (r *run) connected() (n int) {
	for _, d := range r.devices {
		if d.connected.Load() {
			n++
		}
	}
	return n
}

// settle waits until all sends are answered and all that was acknowledged is
// with every member. Members who lack the last messages would find out by a
// room.head; here they ask.
func (r *run) settle(ctx context.Context) (unanswered int) {
	r.stopping.Store(true)
	answered, cancel := context.WithTimeout(ctx, answerWait)
	await(answered, func() bool { unanswered = r.unanswered(); return unanswered == 0 })
	cancel()
	settled, cancel := context.WithTimeout(ctx, settleWait)
	defer cancel()
	for settled.Err() == nil {
		patience, end := context.WithTimeout(settled, repairPause)
		done := await(patience, func() bool { return r.behind() == 0 })
		end()
		if done {
			break
		}
		r.repair()
	}
	return unanswered
}

func (r *run) unanswered() (n int) {
	for _, d := range r.devices {
		n += d.unanswered()
	}
	return n
}

// behind is how many logs lack something that was acknowledged.
func (r *run) behind() (n int) {
	for _, d := range r.devices {
		for _, l := range d.logs {
			if l.reached.Load() < l.room.head.Load() {
				n++
			}
		}
	}
	return n
}

// repair has every device that lacks something ask for it.
func (r *run) repair() {
	for _, d := range r.devices {
		for _, l := range d.logs {
			if d.connected.Load() && l.reached.Load() < l.room.head.Load() {
				d.catchUp(l)
			}
		}
	}
}

// disconnect ends all devices.
func (r *run) disconnect() {
	if r.cancel != nil {
		r.cancel()
		r.living.Wait()
	}
}

// await polls until it holds, or ctx ends, and reports which.
func await(ctx context.Context, holds func() bool) bool {
	tick := time.NewTicker(settlePoll)
	defer tick.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			return holds()
		case <-tick.C:
		}
	}
	return true
}
