package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/parley-im/parley/pkg/contract"
)

// resendWait is how long a send waits that was refused without saying until
// when.
const resendWait = 50 * time.Millisecond

// sending is a message on its way. It keeps its client_id however often it is
// sent.
type sending struct {
	id       uint64 // of its frame
	room     *room
	clientID clientID
	due      time.Duration
}

// send sends a message that is due at that time of the run's clock: now in a
// closed loop, maybe a while ago in an open one. How many wait for an answer is
// bounded by the loop: one, or what the rate makes in the run's duration.
func (d *device) send(r *room, due time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.count++
	s := &sending{id: d.count, room: r, clientID: newClientID(d.run.id, d.index, d.count, due), due: due}
	d.pending[s.id] = s
	d.transmit(s)
}

// setNext says what follows every acknowledged send.
func (d *device) setNext(next func(now time.Duration)) { d.next.Store(&next) }

// nextClientID names a message that is sent in another way.
func (d *device) nextClientID() clientID {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.count++
	return newClientID(d.run.id, d.index, d.count, d.run.now())
}

// ask sends a frame whose answer matters only if it is an error.
func (d *device) ask(op contract.Op, data any) {
	content, err := json.Marshal(data)
	if err == nil && d.connected.Load() {
		d.write(fmt.Appendf(nil, `{"id":"r","op":%q,"data":%s}`, op, content))
	}
}

// transmit writes the frame; the lock is held. What has no connection waits for
// the next ready.
func (d *device) transmit(s *sending) {
	if !d.connected.Load() {
		return
	}
	d.out = append(d.out[:0], `{"id":"`...)
	d.out = strconv.AppendUint(d.out, s.id, 10)
	d.out = append(append(d.out, `","op":"message.send","data":{"room_id":"`...), s.room.id...)
	d.out = append(append(d.out, `","client_id":"`...), s.clientID[:]...)
	d.out = append(append(d.out, `","type":"text","content":{"text":"`...), d.run.text...)
	d.out = append(d.out, `"}}}`...)
	d.write(d.out)
}

// acked takes the answer to a send.
func (d *device) acked(f frame, now time.Duration) {
	id, err := strconv.ParseUint(string(f.id), 10, 64)
	d.mu.Lock()
	s := d.pending[id]
	delete(d.pending, id)
	d.mu.Unlock()
	if err != nil || s == nil {
		return // a resend was answered twice
	}
	if !s.room.ack(f.seq) {
		d.run.meter.add(d.index, func(s *stripe) { s.Doubled++ }) // two messages in one place
	}
	d.run.meter.acked(d.index, s.due, now)
	if next := d.next.Load(); next != nil {
		(*next)(now)
	}
}

// refused counts the error, and sends again in a while.
func (d *device) refused(f frame) error {
	var reply struct {
		ID    string `json:"id"`
		Error struct {
			Code         string `json:"code"`
			RetryAfterMS int64  `json:"retry_after_ms"`
		} `json:"error"`
	}
	if err := json.Unmarshal(f.raw, &reply); err != nil {
		return fmt.Errorf("read error: %w", err)
	}
	d.run.meter.failed(reply.Error.Code)
	for i, r := range d.logs {
		if reply.ID == string(pagePrefix)+strconv.Itoa(i) {
			r.asking.Store(false) // settling asks again
		}
	}
	if id, err := strconv.ParseUint(reply.ID, 10, 64); err == nil {
		wait := max(resendWait, time.Duration(reply.Error.RetryAfterMS)*time.Millisecond)
		time.AfterFunc(wait, func() { d.sendAgain(id) }) // finds nothing to do once the run has ended
	}
	return nil
}

func (d *device) sendAgain(id uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.pending[id]; s != nil {
		d.transmit(s)
	}
}

// resend repeats all that has no answer, on a new connection.
func (d *device) resend() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range d.pending {
		d.transmit(s)
	}
}

// unanswered is how many sends wait for an answer.
func (d *device) unanswered() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.pending)
}
