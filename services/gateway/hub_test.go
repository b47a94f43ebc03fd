package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/telemetry"
	"github.com/parley-im/parley/pkg/token"
)

// testHub is a hub on a NATS server of its own, and a connection of someone
// who publishes.
func testHub(t testing.TB) (*hub, *nats.Conn) {
	t.Helper()
	srv := startNATS(t, -1)
	h := newHub(dialNATS(t, srv), telemetry.Discard(contract.Gateway))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }() // ended by cancel, joined below
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return h, dialNATS(t, srv)
}

// dialNATS is a connection of anyone, until the test ends.
func dialNATS(t testing.TB, srv *server.Server) *nats.Conn {
	t.Helper()
	nc, err := nats.Connect(srv.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

// attached is a connection of the user, past authentication, without a
// socket.
func attached(t testing.TB, h *hub, userID string) *conn {
	t.Helper()
	c := unwritten(newConn(userID, nowhere(t), nil, "", &SocketConfig{QueueBytes: 1 << 20}, slog.New(slog.DiscardHandler), time.Now()))
	c.renew(token.Claims{UserID: userID, SessionID: "s"})
	c.queue.release(frame("ready"))
	drain(c)
	if err := h.attach(t.Context(), c, userID); err != nil {
		t.Fatal(err)
	}
	return c
}

func join(t testing.TB, h *hub, c *conn, rooms ...string) {
	t.Helper()
	at := make([]roomRev, len(rooms))
	for i, id := range rooms {
		at[i] = roomRev{id, 1}
	}
	if _, err := h.join(t.Context(), c, at...); err != nil {
		t.Fatal(err)
	}
}

func publish[T any](t *testing.T, nc *nats.Conn, kind contract.Push[T], id string, data T) {
	t.Helper()
	subject, err := kind.Subject(id)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := kind.Encode(data)
	if err != nil {
		t.Fatal(err)
	}
	if err := nc.Publish(subject, payload); err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
}

// frames waits until n frames wait for the connection, and takes them.
func frames(t *testing.T, c *conn, n int) {
	t.Helper()
	got := 0
	eventually(t, fmt.Sprintf("%d frames wait", n), func() bool {
		got += len(drain(c))
		return got >= n
	})
}

// subscriptions counts what the hub's connection is subscribed to.
func subscriptions(h *hub) int { return h.nc.NumSubscriptions() }

func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("in vain: %s", what)
		}
	}
}

func TestHub_one_subscription_per_room(t *testing.T) {
	h, nc := testHub(t)
	ann, bob := attached(t, h, "ann"), attached(t, h, "bob")
	join(t, h, ann, "r1", "r2")
	join(t, h, bob, "r1")
	if n := subscriptions(h); n != 4 { // two users, two rooms
		t.Fatalf("%d subscriptions", n)
	}
	publish(t, nc, contract.MessagePushed, "r1", contract.Message{RoomID: "r1", Seq: 1})
	frames(t, ann, 1)
	frames(t, bob, 1)
	h.leave(ann, "r1", 1)
	if n := subscriptions(h); n != 4 {
		t.Fatalf("%d subscriptions while bob is still there", n)
	}
	h.detach(bob)
	h.detach(ann)
	if n := subscriptions(h); n != 0 {
		t.Fatalf("%d subscriptions left", n)
	}
	if _, err := h.join(t.Context(), ann, roomRev{"r1", 1}); err != nil || subscriptions(h) != 0 {
		t.Fatalf("who is gone joined again: %v", err)
	}
}

func TestHub_members_come_and_go(t *testing.T) {
	h, nc := testHub(t)
	ann, bob := attached(t, h, "ann"), attached(t, h, "bob")
	join(t, h, ann, "r1")

	// A room that is new to bob is live when he hears of it.
	publish(t, nc, contract.RoomCreated, "bob", contract.RoomCreatedData{Room: contract.Room{ID: "r1"}, Rev: 6})
	frames(t, bob, 1)
	publish(t, nc, contract.MessagePushed, "r1", contract.Message{RoomID: "r1", Seq: 1})
	frames(t, bob, 1)
	frames(t, ann, 1)
	publish(t, nc, contract.UserDisabled, "r1", contract.UserDisabledData{RoomID: "r1", UserID: "cem", Disabled: true})
	frames(t, bob, 1)
	frames(t, ann, 1)

	// He hears that he was removed, and nothing after it.
	publish(t, nc, contract.MemberLeft, "r1", contract.MemberLeftData{RoomID: "r1", UserID: "bob", Rev: 7})
	frames(t, bob, 1)
	eventually(t, "bob is out", func() bool { return len(bob.joined()) == 0 })
	publish(t, nc, contract.MessagePushed, "r1", contract.Message{RoomID: "r1", Seq: 2})
	frames(t, ann, 2)
	if batch := drain(bob); len(batch) != 0 {
		t.Fatalf("bob got %s", text(batch[0]))
	}

	// A list of rooms from before that does not bring him back.
	if _, err := h.settle(t.Context(), bob, nil, heads("r1", 6)); err != nil || len(bob.joined()) != 0 {
		t.Fatalf("a stale list joined %v, %v", bob.joined(), err)
	}
	if _, err := h.settle(t.Context(), bob, nil, heads("r1", 8)); err != nil || len(bob.joined()) != 1 {
		t.Fatalf("a fresh one joined %v, %v", bob.joined(), err)
	}
	publish(t, nc, contract.RoomDisbanded, "r1", contract.RoomDisbandedData{RoomID: "r1", Rev: 9})
	eventually(t, "everyone is out", func() bool { return len(bob.joined()) == 0 && len(ann.joined()) == 0 })
	if n := subscriptions(h); n != 2 {
		t.Fatalf("%d subscriptions left", n)
	}
}

// Pushes of users and of rooms are delivered by different goroutines: 300 new
// rooms of one user wait while a room tells that another has left.
func TestHub_a_late_new_room_brings_no_one_back(t *testing.T) {
	h, nc := testHub(t)
	ann, bob := attached(t, h, "ann"), attached(t, h, "bob")
	join(t, h, ann, "r1")
	for i := range 300 {
		publish(t, nc, contract.RoomCreated, "ann", contract.RoomCreatedData{Room: contract.Room{ID: fmt.Sprintf("other-%d", i)}, Rev: 1})
	}
	publish(t, nc, contract.RoomCreated, "bob", contract.RoomCreatedData{Room: contract.Room{ID: "r1"}, Rev: 2})
	publish(t, nc, contract.MemberLeft, "r1", contract.MemberLeftData{RoomID: "r1", UserID: "bob", Rev: 3})
	publish(t, nc, contract.FriendRemoved, "bob", contract.FriendRemovedData{UserID: "cem", RoomID: "last", Rev: 2})
	for last := false; !last; { // all that was pushed to bob before it is delivered
		eventually(t, "bob hears", func() bool {
			for _, o := range drain(bob) {
				last = last || strings.Contains(text(o), "friend.removed")
			}
			return last
		})
	}
	if rooms := bob.joined(); len(rooms) != 0 {
		t.Fatalf("bob, who has left, is in %v", rooms)
	}
	publish(t, nc, contract.MessagePushed, "r1", contract.Message{RoomID: "r1", Seq: 1})
	eventually(t, "ann gets the message", func() bool {
		return slices.ContainsFunc(drain(ann), func(o *outgoing) bool { return strings.Contains(text(o), `"op":"message"`) })
	})
	if batch := drain(bob); len(batch) != 0 {
		t.Fatalf("bob got %s", text(batch[0]))
	}
	// A list from before does not bring him back either, also after the room has
	// had no connection here.
	h.leave(ann, "r1", 9)
	if _, err := h.settle(t.Context(), bob, nil, heads("r1", 2)); err != nil || len(bob.joined()) != 0 {
		t.Fatalf("a stale list joined %v, %v", bob.joined(), err)
	}
}

// A late departure does not cut off who was added again, nor do they hear of it.
func TestHub_a_late_departure_removes_no_one_added_again(t *testing.T) {
	h, nc := testHub(t)
	ann, bob := attached(t, h, "ann"), attached(t, h, "bob")
	join(t, h, ann, "r1")
	publish(t, nc, contract.RoomCreated, "bob", contract.RoomCreatedData{Room: contract.Room{ID: "r1"}, Rev: 4})
	frames(t, bob, 1)
	publish(t, nc, contract.MemberLeft, "r1", contract.MemberLeftData{RoomID: "r1", UserID: "bob", Rev: 3})
	publish(t, nc, contract.MessagePushed, "r1", contract.Message{RoomID: "r1", Seq: 1})
	frames(t, ann, 2)
	var batch []*outgoing
	eventually(t, "bob gets something", func() bool { batch = drain(bob); return len(batch) > 0 })
	if len(batch) != 1 || !strings.Contains(text(batch[0]), `"op":"message"`) {
		t.Fatalf("bob got %d pushes, first %s", len(batch), text(batch[0]))
	}
	// A list that was made between his leaving and his return.
	before := map[string]int64{"r1": 2}
	if _, err := h.settle(t.Context(), bob, before, nil); err != nil || len(bob.joined()) != 1 {
		t.Fatalf("a stale list left him in %v, %v", bob.joined(), err)
	}
}

// A room that is new to this gateway may have lost the user before it listened.
func TestHub_reads_again_after_a_room_new_to_it(t *testing.T) {
	h, nc := testHub(t)
	asked := make(chan string, 8)
	h.resync = func(userID string) { asked <- userID }
	bob := attached(t, h, "bob")
	publish(t, nc, contract.RoomCreated, "bob", contract.RoomCreatedData{Room: contract.Room{ID: "r1"}, Rev: 1})
	frames(t, bob, 1)
	select {
	case userID := <-asked:
		if userID != "bob" {
			t.Fatalf("%s's rooms are read", userID)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("nobody's rooms are read")
	}
}

func TestFormerMembers_are_bounded(t *testing.T) {
	var f formerMembers
	for i := range 10 * formerKept {
		f.note("r", fmt.Sprint(i), 5)
	}
	if n := len(f.recent) + len(f.older); n > 2*formerKept {
		t.Errorf("%d are remembered", n)
	}
	last := fmt.Sprint(10*formerKept - 1)
	if !f.after("r", last, 5) || f.after("r", last, 6) || f.after("other", last, 1) || f.after("r", "0", 1) {
		t.Error("the last is not remembered, or another is")
	}
	f.note("r", "", 7)
	if !f.after("r", "anyone", 7) || f.after("r", "anyone", 8) {
		t.Error("a room that was disbanded takes someone in")
	}
}

func TestHub_settle_leaves_only_what_was_there_before(t *testing.T) {
	h, _ := testHub(t)
	ann := attached(t, h, "ann")
	join(t, h, ann, "old")
	before := ann.joined()
	join(t, h, ann, "just-created") // after the list was asked for
	if _, err := h.settle(t.Context(), ann, before, heads("listed", 1)); err != nil {
		t.Fatal(err)
	}
	if rooms := ann.joined(); len(rooms) != 2 {
		t.Fatalf("in %v", rooms)
	}
}

func TestHub_announces_a_head_once(t *testing.T) {
	h, _ := testHub(t)
	ann := attached(t, h, "ann")
	join(t, h, ann, "r1")
	for _, head := range []int64{5, 5, 4, 6} {
		h.announce("r1", head)
	}
	frames(t, ann, 2)
	h.Reconnected() // pushes may have been lost: once more
	h.announce("r1", 6)
	frames(t, ann, 1)
}

func TestHub_delivers_frames_only(t *testing.T) {
	h, nc := testHub(t)
	ann := attached(t, h, "ann")
	join(t, h, ann, "r1")
	for _, payload := range []string{`{"name":"auth","id":"x"}`, `{"op":"message.removed","data":{}}`, ``, `{"op":"message"}`} {
		if err := nc.Publish("im.room.r1.message", []byte(payload)); err != nil {
			t.Fatal(err)
		}
	}
	publish(t, nc, contract.MessagePushed, "r1", contract.Message{RoomID: "r1", Seq: 1})
	frames(t, ann, 1)
	if batch := drain(ann); len(batch) != 0 {
		t.Fatal("a payload that is no frame was delivered")
	}
}

func heads(roomID string, rev int64) []contract.RoomHeadRev {
	return []contract.RoomHeadRev{{RoomHead: contract.RoomHead{ID: roomID}, Rev: rev}}
}

func inRoom(c *conn, roomID string) bool {
	_, is := c.in(roomID)
	return is
}
