package main

import (
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
)

// TestCount feeds what a faulty system would: the accounting must be able to
// fail.
func TestCount(t *testing.T) {
	for name, c := range map[string]struct {
		pushed  []int64 // to the second member, of 1 to 3 that are acknowledged
		fetched []int64
		lost    int
		doubled int64
	}{
		"all":                      {pushed: []int64{1, 2, 3}},
		"lost in the middle":       {pushed: []int64{1, 3}, lost: 1},
		"lost at the end":          {pushed: []int64{1}, lost: 2},
		"lost all":                 {lost: 3},
		"doubled":                  {pushed: []int64{1, 2, 2, 3}, doubled: 1},
		"reordered":                {pushed: []int64{3, 1, 2}},
		"reordered and doubled":    {pushed: []int64{3, 1, 2, 3}, doubled: 1},
		"repaired":                 {pushed: []int64{1, 3}, fetched: []int64{2, 3}},
		"repaired, and then comes": {pushed: []int64{1, 2, 3}, fetched: []int64{2}},
		"stored twice":             {pushed: []int64{1, 2, 3, 4}, doubled: 1},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRun(1)
			sender, member := r.device("", nil), r.device("", nil)
			to := r.room("01R", sender, member)
			for seq := int64(1); seq <= 3; seq++ {
				sender.send(to, 0)
				sender.acked(frame{op: contract.OpOK, id: []byte{'0' + byte(seq)}, seq: seq}, time.Millisecond)
				sender.deliver(pushOf(sender, seq), time.Millisecond)
			}
			for _, seq := range c.fetched {
				member.logs[0].fetch(seq)
			}
			for _, seq := range c.pushed {
				member.deliver(pushOf(sender, seq), time.Millisecond)
			}
			lost, doubled := r.count(r.unanswered())
			if doubled += r.meter.sum().Doubled; lost != c.lost || doubled != c.doubled {
				t.Errorf("lost %d, doubled %d, want %d and %d", lost, doubled, c.lost, c.doubled)
			}
		})
	}

	t.Run("one place given twice", func(t *testing.T) {
		var to room
		if !to.ack(1) || !to.ack(2) || to.ack(2) {
			t.Error("two sends with one seq were not found")
		}
	})
	t.Run("before our time", func(t *testing.T) {
		l := received{room: &room{}}
		l.start(10)
		if !l.push(9) || !l.push(9) || !l.push(11) || l.push(11) || l.lost(12) != 1 {
			t.Errorf("reached %d", l.reached.Load())
		}
	})
}

func pushOf(sender *device, seq int64) frame {
	id := newClientID(sender.run.id, sender.index, uint64(seq), 0)
	return frame{op: contract.MessagePushed.Op, roomID: []byte("01R"), seq: seq, clientID: id[:]}
}
