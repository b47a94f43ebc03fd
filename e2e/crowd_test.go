package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-im/parley/e2e/person"
	"github.com/parley-im/parley/e2e/system"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
)

// crowd are people who are all connected, each to one of four gateways. There
// is a fifth, without any of them.
type crowd struct {
	system  *system.System
	people  []*person.Person
	sockets []*person.Socket
}

const (
	crowdMembers  = 40              // of the largest room that is told who has read
	crowdWindow   = 3 * time.Second // in which what it is told is gathered
	crowdReplicas = 2
)

// TestCrowd counts what people in a large room cost each other: frames grow
// with the members, not with their square, and what NATS carries grows with
// the gateways that have members there.
func TestCrowd(t *testing.T) {
	s := system.Start(t, system.Options{Replicas: crowdReplicas, Gateways: 5, Env: []string{
		fmt.Sprint("CHAT_READ_AUDIENCE=", crowdMembers), "CHAT_READ_WINDOW=" + crowdWindow.String(),
	}})
	c := &crowd{system: s}
	for names := range slices.Chunk(numbered("c", crowdMembers+1), 8) { // passwords are checked a few at a time
		c.people = append(c.people, people(t, s, names...)...)
	}
	var wg sync.WaitGroup
	for i, p := range c.people {
		p.Gateway = s.URLs[i%4]
		if i > 0 {
			wg.Go(func() { c.people[0].Befriend(t, p) })
		}
	}
	wg.Wait()
	for _, p := range c.people {
		c.sockets = append(c.sockets, p.Dial(t))
	}
	t.Run("everyone reads the last message", c.everyoneReads)
	t.Run("in a larger room only the reader's devices hear", c.onlyOwnDevicesHear)
	t.Run("NATS carries a message to each gateway once", c.onceToEachGateway)
}

// room is a group of the first n people, who know of it.
func (c *crowd) room(t *testing.T, n int) string {
	t.Helper()
	room := c.people[0].Group(t, fmt.Sprint(n), c.people[1:n]...).ID
	for _, socket := range c.sockets[1:n] {
		person.Push(t, socket, contract.RoomCreated.Op, func(d contract.RoomCreatedData) bool { return d.Room.ID == room })
	}
	return room
}

// say sends a message, and waits until the first n people have it.
func (c *crowd) say(t *testing.T, room string, n int) (seq int64) {
	t.Helper()
	seq = decode[contract.SendReply](t, c.sockets[0].Must(t, contract.OpMessageSend, send(room, id.New(), "hello all")).Data).Seq
	for _, socket := range c.sockets[:n] {
		person.Push(t, socket, contract.MessagePushed.Op, func(m contract.Message) bool { return m.RoomID == room && m.Seq == seq })
	}
	return seq
}

// receipts are what a socket was told of who has read a room: in how many
// frames, and the furthest position of each.
func receipts(t *testing.T, socket *person.Socket, room string) (frames int, furthest map[string]int64) {
	t.Helper()
	furthest = make(map[string]int64)
	for _, frame := range socket.Pushes() {
		switch frame.Op {
		case contract.RoomReadPushed.Op:
			if d := decode[contract.RoomReadData](t, frame.Data); d.RoomID == room {
				frames++
				furthest[d.UserID] = max(furthest[d.UserID], d.Seq)
			}
		case contract.RoomReadsPushed.Op:
			d := decode[contract.RoomReadsData](t, frame.Data)
			if d.RoomID != room {
				continue
			}
			if len(d.Reads) < 2 || len(d.Reads) > contract.MaxReads {
				t.Errorf("%d positions in one frame", len(d.Reads))
			}
			frames++
			for _, m := range d.Reads {
				furthest[m.UserID] = max(furthest[m.UserID], m.Seq)
			}
		}
	}
	return frames, furthest
}

// everyoneReads has all members but the sender read at once. Each device hears
// of all of them, in as many frames as windows have passed at each replica, and
// one at the beginning: not in one for each reader.
func (c *crowd) everyoneReads(t *testing.T) {
	room := c.room(t, crowdMembers)
	seq := c.say(t, room, crowdMembers)
	began := time.Now()
	c.read(t, room, seq, 1, crowdMembers)
	for i, socket := range c.sockets[:crowdMembers] {
		eventually(t, fmt.Sprintf("device %d to hear of all", i), func() bool {
			_, furthest := receipts(t, socket, room)
			return len(furthest) == crowdMembers-1
		})
	}
	bound := crowdReplicas * (2 + int(time.Since(began)/crowdWindow))
	most := 0
	for i, socket := range c.sockets[:crowdMembers] {
		frames, furthest := receipts(t, socket, room)
		if most = max(most, frames); frames > bound {
			t.Errorf("device %d was told in %d frames, want at most %d", i, frames, bound)
		}
		for _, p := range c.people[1:crowdMembers] {
			if furthest[p.ID] != seq {
				t.Errorf("device %d believes that %s has read up to %d, want %d", i, p.Account, furthest[p.ID], seq)
			}
		}
	}
	t.Logf("%d readers, at most %d frames a device; the bound was %d", crowdMembers-1, most, bound)
}

// read has the people from first up to n read the room, all at once.
func (c *crowd) read(t *testing.T, room string, seq int64, first, n int) {
	t.Helper()
	var wg sync.WaitGroup
	for _, socket := range c.sockets[first:n] {
		wg.Go(func() {
			if reply, err := socket.Ask(t.Context(), contract.OpReadSet, map[string]any{"room_id": room, "seq": seq}); err != nil || reply.Op != contract.OpOK {
				t.Errorf("read.set: %v %+v", err, reply.Error)
			}
		})
	}
	wg.Wait()
}

func (c *crowd) onlyOwnDevicesHear(t *testing.T) {
	const n = crowdMembers + 1
	room := c.room(t, n)
	seq := c.say(t, room, n)
	tablet := c.people[1].Login(t, c.system.URLs[2], "tablet").Dial(t)
	c.read(t, room, seq, 1, n)
	for i, socket := range append([]*person.Socket{tablet}, c.sockets[1:n]...) {
		reader := c.people[max(1, i)]
		person.Push(t, socket, contract.RoomReadPushed.Op, func(d contract.RoomReadData) bool {
			return d.RoomID == room && d.UserID == reader.ID && d.Seq == seq
		})
	}
	c.say(t, room, n) // what was pushed to the room before has come by now
	for i, socket := range c.sockets[:n] {
		frames, furthest := receipts(t, socket, room)
		if want := min(i, 1); frames != want || len(furthest) != want || furthest[c.people[i].ID] != seq*int64(want) {
			t.Errorf("device %d was told in %d frames of %v", i, frames, furthest)
		}
	}
}

// onceToEachGateway compares rooms of different size, with members on the same
// four gateways or on one.
func (c *crowd) onceToEachGateway(t *testing.T) {
	const sends = 5
	small, large := c.room(t, 4), c.room(t, crowdMembers)
	alone := c.people[0].Group(t, "alone").ID
	for name, want := range map[string]struct {
		room    string
		members int
		pushes  [5]float64 // at each gateway
	}{
		"4 members on four gateways": {small, 4, [5]float64{sends, sends, sends, sends, 0}},
		"all on four gateways":       {large, crowdMembers, [5]float64{sends, sends, sends, sends, 0}},
		"1 member on one gateway":    {alone, 1, [5]float64{sends, 0, 0, 0, 0}},
	} {
		before := c.pushed(t)
		for range sends {
			c.say(t, want.room, want.members)
		}
		after := c.pushed(t)
		for i := range after {
			if after[i] -= before[i]; after[i] != want.pushes[i] {
				t.Errorf("%s: NATS carried %v messages to gateway %d, want %v", name, after[i], i, want.pushes[i])
			}
		}
	}
}

// pushed is how many messages NATS has carried to each gateway.
func (c *crowd) pushed(t *testing.T) (counts [5]float64) {
	t.Helper()
	for i, gateway := range c.system.Gateways {
		counts[i] = metric(t, gateway.Ops, `parley_gateway_pushes_total{op="message",service="gateway"}`)
	}
	return counts
}

// metric is the value of one series of a process.
func metric(t *testing.T, ops, series string) float64 {
	t.Helper()
	for line := range strings.Lines(fetch(t, ops+"/metrics", http.StatusOK)) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), series+" "); ok {
			n, err := strconv.ParseFloat(value, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatalf("%s has no %s", ops, series)
	return 0
}
