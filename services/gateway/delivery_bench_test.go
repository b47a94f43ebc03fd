package gateway

import (
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/telemetry"
)

// crowdedRoom is a hub without NATS whose room r1 has n connections, and a
// message for it.
func crowdedRoom(tb testing.TB, n int) (*hub, *roomShard, *nats.Msg) {
	tb.Helper()
	payload, err := contract.MessagePushed.Encode(contract.Message{ID: "m", RoomID: "r1", Seq: 1, Content: contract.Content{Text: "hello"}})
	if err != nil {
		tb.Fatal(err)
	}
	h := newHub(nil, telemetry.Discard(contract.Gateway))
	s, room := h.shard("r1"), &localRoom{}
	for range n {
		c := unwritten(newConn("c", nowhere(tb), nil, "", &SocketConfig{QueueBytes: 1 << 30}, h.log, time.Now()))
		c.queue.release(&outgoing{})
		empty(c)
		room.conns.add(c)
	}
	s.rooms["r1"] = room
	return h, s, &nats.Msg{Subject: "im.room.r1.message", Data: payload}
}

// empty takes what waits for a connection as its writer would, all of it.
func empty(c *conn) {
	batch, _ := c.queue.take()
	if batch == nil {
		return
	}
	size := 0
	for _, o := range batch.frames {
		size += o.size
	}
	batch.free()
	c.queue.done(size)
}

// BenchmarkHub_delivery is one push to a room of n connections here, until
// their writers have it in hand.
func BenchmarkHub_delivery(b *testing.B) {
	for _, n := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			h, s, msg := crowdedRoom(b, n)
			list := s.rooms["r1"].conns.list
			b.ReportAllocs()
			for b.Loop() {
				h.roomPush(s, msg, nil)
				for _, c := range list {
					empty(c)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/recipient")
		})
	}
}

// A push is made once, and costs no allocation for each who gets it while the
// batch that waits for them has room. Those come from a pool, which does not
// work like one under the race detector, so their coming is not counted.
func TestHub_delivery_allocates_nothing_per_recipient(t *testing.T) {
	for _, n := range []int{1, 100, 1000} {
		h, s, msg := crowdedRoom(t, n)
		h.roomPush(s, msg, nil)
		allocs := testing.AllocsPerRun(batchFrames-5, func() { h.roomPush(s, msg, nil) })
		if allocs > 2 { // the frame and its bytes
			t.Errorf("%v allocations for %d recipients", allocs, n)
		}
	}
}
