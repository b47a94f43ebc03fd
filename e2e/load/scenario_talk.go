package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/parley-im/parley/pkg/contract"
)

// talk has senders send: each as soon as its last message is acknowledged, or
// all together at a rate.
func talk(ctx context.Context, s *stage, r *run) error {
	senders := r.senders(s.senders)
	if s.rate > 0 {
		r.pace(ctx, s.rate, func(i int, due time.Duration) {
			d := senders[i%len(senders)]
			d.send(d.logs[0].room, due)
		})
		return nil
	}
	for _, d := range senders {
		to := d.logs[0].room
		d.setNext(func(now time.Duration) {
			if !r.stopping.Load() {
				d.send(to, now)
			}
		})
		d.send(to, r.now())
	}
	<-ctx.Done()
	return nil
}

// senders are some devices, from all over the list: rooms and gateways get
// their share.
func (r *run) senders(n int) []*device {
	n = min(max(n, 1), len(r.devices))
	picked := make([]*device, n)
	for i := range picked {
		picked[i] = r.devices[i*len(r.devices)/n]
	}
	return picked
}

// rest does nothing.
func rest(ctx context.Context, _ *stage, _ *run) error {
	<-ctx.Done()
	return nil
}

// What mixed does besides, as shares of the rate of sends.
const (
	readShare    = 0.2  // read.set
	historyShare = 0.02 // a page of the newest
	churn        = 1.0  // reconnects a second
)

// mixed is what people do: they talk, read, look back, and lose connections.
func mixed(ctx context.Context, s *stage, r *run) error {
	if s.rate <= 0 {
		return fmt.Errorf("mixed is an open loop: -rate is more than 0")
	}
	var acts sync.WaitGroup
	defer acts.Wait()
	each := func(rate float64, act func(*device)) {
		acts.Go(func() { // ends with ctx, joined above
			r.pace(ctx, rate, func(i int, _ time.Duration) { act(r.devices[i%len(r.devices)]) })
		})
	}
	each(s.rate*readShare, func(d *device) {
		if seq := d.logs[0].reached.Load(); seq > 0 {
			d.ask(contract.OpReadSet, contract.SeqData{RoomID: d.logs[0].room.id, Seq: seq})
		}
	})
	each(s.rate*historyShare, func(d *device) {
		d.ask(contract.OpMessagesGet, contract.GetData{RoomID: d.logs[0].room.id, Limit: contract.DefaultPage})
	})
	open := make(chan struct{})
	close(open)
	each(churn, func(d *device) { d.dropUntil(open) })
	return talk(ctx, s, r)
}
