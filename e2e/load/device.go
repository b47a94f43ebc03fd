package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley-im/parley/pkg/contract"
)

// reconnectWait is the mean time until a device connects again whose
// connection broke.
const reconnectWait = 200 * time.Millisecond

// device is one connection of one user, over all its reconnects. It follows the
// rule of docs/websocket.md: one number a room, what is missing is fetched, and
// a send is repeated until it is answered.
type device struct {
	run     *run
	index   int
	token   func(context.Context) (string, error)
	gateway string
	logs    []*received                             // of the rooms that count
	next    atomic.Pointer[func(now time.Duration)] // follows every acknowledged send: a closed loop; may be nil

	began     time.Duration // of the connection in hand
	catching  bool          // it has not yet all that it missed; the reader's
	connected atomic.Bool   // ready has come
	done      chan struct{} // closed when the reader has ended

	socket atomic.Pointer[socket] // nil before the first; broken while there is none

	mu      sync.Mutex
	gate    <-chan struct{} // a broken connection waits for it before the next
	pending map[uint64]*sending
	count   uint64
	out     []byte
}

// join makes the device a member of the room.
func (d *device) join(r *room) {
	d.logs = append(d.logs, &received{room: r})
	r.members = append(r.members, d)
}

// live keeps the device connected until ctx ends; it is the device's only
// goroutine, owned and joined by the run.
func (d *device) live(ctx context.Context) {
	defer close(d.done)
	stop := context.AfterFunc(ctx, d.hangUp)
	defer stop()
	for ctx.Err() == nil {
		d.began = d.run.now()
		err := d.converse(ctx)
		d.connected.Store(false)
		if ctx.Err() != nil || d.waitAtGate(ctx) {
			continue // it was meant to break
		}
		d.run.meter.failed(codeOf(err))
		sleep(ctx, time.Duration(rand.Int64N(2*int64(reconnectWait))))
	}
}

// hangUp breaks the connection.
func (d *device) hangUp() {
	if s := d.socket.Load(); s != nil {
		s.close()
	}
}

// dropUntil breaks the connection; the next begins when the gate opens.
func (d *device) dropUntil(gate <-chan struct{}) {
	d.mu.Lock()
	d.gate = gate
	d.mu.Unlock()
	d.hangUp()
}

func (d *device) waitAtGate(ctx context.Context) bool {
	d.mu.Lock()
	gate := d.gate
	d.gate = nil
	d.mu.Unlock()
	if gate == nil {
		return false
	}
	select {
	case <-gate:
	case <-ctx.Done():
	}
	return true
}

// converse is one connection from its dial to its end.
func (d *device) converse(ctx context.Context) error {
	token, err := d.token(ctx)
	if err != nil {
		return err
	}
	s, err := dialSocket(ctx, d.gateway, token)
	if err != nil {
		return err
	}
	defer s.close()
	d.socket.Store(s)
	if ctx.Err() != nil {
		return ctx.Err() // hangUp may have come before there was a socket
	}
	for {
		raw, err := s.next()
		if err != nil {
			return err
		}
		f, err := readFrame(raw)
		if err != nil {
			return err
		}
		if err := d.take(f, s.readAt.Sub(d.run.start)); err != nil {
			return err
		}
	}
}

// take does what a frame asks for.
func (d *device) take(f frame, now time.Duration) error {
	switch f.op {
	case contract.MessagePushed.Op:
		d.deliver(f, now)
	case contract.OpOK:
		switch {
		case bytes.HasPrefix(f.id, pagePrefix):
			return d.page(f, now)
		case len(f.id) > 0 && f.id[0] != 'r':
			d.acked(f, now)
		}
	case contract.OpError:
		return d.refused(f)
	case contract.OpReady:
		return d.ready(f, now)
	}
	return nil
}

// deliver takes a pushed message.
func (d *device) deliver(f frame, now time.Duration) {
	r := d.log(f.roomID)
	if r == nil {
		return
	}
	if !r.push(f.seq) {
		d.run.meter.add(d.index, func(s *stripe) { s.Doubled++ })
		return
	}
	if due, ours := dueOf(d.run.id, f.clientID); ours {
		d.run.meter.delivered(d.index, due, now)
	}
	if f.seq > r.reached.Load() {
		d.catchUp(r) // one before it is missing
	}
}

// log is what the device has of the room; nil when the room does not count.
func (d *device) log(roomID []byte) *received {
	for _, r := range d.logs {
		if string(roomID) == r.room.id {
			return r
		}
	}
	return nil
}

// logOf is the same, for a member.
func (d *device) logOf(to *room) *received { return d.log([]byte(to.id)) }

// ready compares the heads with what the device has, and sends again what was
// not answered.
func (d *device) ready(f frame, now time.Duration) error {
	var push contract.PushFrame[contract.ReadyData]
	if err := json.Unmarshal(f.raw, &push); err != nil {
		return fmt.Errorf("read ready: %w", err)
	}
	d.run.meter.connected(d.index, d.began, now)
	d.catching = true
	for _, head := range push.Data.Rooms {
		r := d.log([]byte(head.ID))
		switch {
		case r == nil:
		case !r.started:
			r.start(head.LastSeq)
		default:
			r.target = head.LastSeq
			r.asking.Store(false) // what was asked before is lost with its connection
			if r.reached.Load() < head.LastSeq {
				d.catchUp(r)
			}
		}
	}
	d.caughtUp(now)
	d.connected.Store(true)
	d.resend()
	return nil
}

// caughtUp notes that nothing is missing any more of what ready spoke of.
func (d *device) caughtUp(now time.Duration) {
	if !d.catching {
		return
	}
	for _, r := range d.logs {
		if r.reached.Load() < r.target {
			return
		}
	}
	d.catching = false
	d.run.meter.caught(d.index, d.began, now)
}

// pagePrefix begins the ids of frames that ask for pages; the index of the log
// follows.
var pagePrefix = []byte("g")

// catchUp asks for what comes after the last that is there without a gap, one
// page at a time. Anyone may call it.
func (d *device) catchUp(r *received) {
	if !r.asking.CompareAndSwap(false, true) {
		return
	}
	for i, other := range d.logs {
		if other == r {
			d.write(fmt.Appendf(nil, `{"id":"%s%d","op":%q,"data":{"room_id":%q,"after_seq":%d,"limit":%d}}`,
				pagePrefix, i, contract.OpMessagesGet, r.room.id, r.reached.Load(), contract.MaxPage))
		}
	}
}

// page takes what catchUp asked for.
func (d *device) page(f frame, now time.Duration) error {
	var reply contract.Reply[contract.HistoryReply]
	index, err := strconv.Atoi(string(f.id[len(pagePrefix):]))
	if err != nil || index >= len(d.logs) {
		return fmt.Errorf("read page: nobody asked with the id %q", f.id)
	}
	if err := json.Unmarshal(f.raw, &reply); err != nil {
		return fmt.Errorf("read page: %w", err)
	}
	r, repaired := d.logs[index], int64(0)
	for _, m := range reply.Data.Items {
		if r.fetch(m.Seq) {
			repaired++
		}
	}
	d.run.meter.add(d.index, func(s *stripe) { s.Repaired += repaired })
	r.asking.Store(false)
	if reply.Data.HasMore {
		d.catchUp(r)
	}
	d.caughtUp(now)
	return nil
}

// write sends a frame if there is a connection. An error is the reader's to
// find, who then connects again.
func (d *device) write(frame []byte) {
	if s := d.socket.Load(); s != nil {
		_ = s.text(frame)
	}
}

// codeOf names what ended a connection.
func codeOf(err error) string {
	var closed closedError
	var refused refusedError
	switch {
	case errors.As(err, &closed):
		return fmt.Sprintf("closed_%d", closed.code)
	case errors.As(err, &refused):
		return fmt.Sprintf("upgrade_%d", refused.status)
	default:
		return "broken"
	}
}

// sleep waits, at most until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
