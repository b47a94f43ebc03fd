package e2e

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-im/parley/e2e/system"
	"github.com/parley-im/parley/pkg/contract"
)

// TestRolling_services restarts every replica of the services in turn while
// people talk: nobody loses, doubles or disorders a message, or fails to send
// one in time, and no socket closes.
func TestRolling_services(t *testing.T) {
	s := loadSystem(t)
	l := startLoad(t, s)
	l.awaitMore(t, 50)
	for _, p := range slices.Concat(s.Auth, s.Social, s.Chat) {
		p.Roll(t)
		l.awaitMore(t, 50)
	}
	l.stop()
	l.check(t, s)
}

// TestRolling_NATS does the same with the servers of the NATS cluster.
func TestRolling_NATS(t *testing.T) {
	s := loadSystem(t)
	l := startLoad(t, s)
	l.awaitMore(t, 50)
	for _, n := range s.Nodes {
		n.Roll(t)
		l.awaitMore(t, 50)
	}
	l.stop()
	l.check(t, s)
}

// check logs what was answered, and holds every room's history, and every
// client's, against what was acknowledged: each message once, in order. Then
// it does the same with the names of the group and the durable events.
func (l *load) check(t *testing.T, s *system.System) {
	t.Helper()
	for _, what := range slices.Sorted(maps.Keys(l.seen)) {
		o := l.seen[what]
		t.Logf("%-26s %5d done, the longest took %5d ms, errors on the way: %v", what, o.done, o.longest.Milliseconds(), o.errors)
	}
	stored, fetched := 0, 0
	for _, room := range l.rooms {
		log := l.people[0].History(t, room)
		whole(t, log, len(log))
		stored += len(log)
		for _, m := range log {
			if reply := l.acked[m.ClientID]; reply.Seq != m.Seq || reply.ID != m.ID || reply.RoomID != room {
				t.Fatalf("%s was acknowledged as %+v, and the log has %+v", m.ClientID, reply, m)
			}
		}
		for i, socket := range l.sockets {
			got := socket.Follow(t, room, 0, int64(len(log)))
			fetched += got.Fetched
			if !slices.EqualFunc(got.Messages, log, func(a, b contract.Message) bool { return a.ID == b.ID }) {
				t.Fatalf("client %d has other messages than the log of %s", i, room)
			}
		}
	}
	if stored != len(l.acked) {
		t.Fatalf("%d acknowledged, %d stored", len(l.acked), stored)
	}
	t.Logf("%d messages to each of %d clients, in all %d came by range", stored, len(l.sockets), fetched)
	for _, socket := range l.sockets {
		socket.Must(t, contract.OpPing, struct{}{})
	}
	l.checkEvents(t, s)
}

// checkEvents waits until IM_EVENTS has the group's names, each once, in order.
func (l *load) checkEvents(t *testing.T, s *system.System) {
	t.Helper()
	js, err := jetstream.New(connect(t, s, contract.OperatorUser))
	if err != nil {
		t.Fatal(err)
	}
	var revs []int64
	for deadline := time.Now().Add(patience); len(revs) < l.seen[renamed].done; revs = l.eventRevs(t, js) {
		if time.Now().After(deadline) {
			t.Fatalf("%d events of %d names", len(revs), l.seen[renamed].done)
		}
	}
	for i, rev := range revs {
		if rev != revs[0]+int64(i) {
			t.Fatalf("the events tell of revisions %v", revs)
		}
	}
}

// eventRevs reads the revisions of the group that events tell of.
func (l *load) eventRevs(t *testing.T, js jetstream.JetStream) []int64 {
	t.Helper()
	consumer, err := js.OrderedConsumer(t.Context(), contract.StreamName, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{contract.GroupRenamed.Subject()},
	})
	if err != nil {
		t.Fatal(err)
	}
	batch, err := consumer.Fetch(10_000, jetstream.FetchMaxWait(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	var revs []int64
	for m := range batch.Messages() {
		event, err := contract.GroupRenamed.Decode(m.Data())
		if err != nil {
			t.Fatal(err)
		}
		if event.Data.RoomID == l.rooms[0] {
			revs = append(revs, event.Data.Rev)
		}
	}
	return revs
}
