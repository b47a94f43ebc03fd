package e2e

import (
	"net/http"
	"testing"

	"github.com/parley-im/parley/e2e/person"
	"github.com/parley-im/parley/e2e/system"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
)

func talk(t *testing.T, s *system.System) {
	list := people(t, s, "ann", "bob")
	ann, bob := list[0], list[1]
	annSocket, bobSocket := ann.Dial(t), bob.Dial(t)

	// They find each other and become friends; both hear of it at once.
	found := person.Decode[contract.UserProfile](t, ann.Getf(t, "/api/v1/users?account=%s", bob.Account).Is(t, http.StatusOK))
	if found.ID != bob.ID || found.IsFriend {
		t.Fatalf("found %+v", found)
	}
	room := ann.Befriend(t, bob)
	added := person.Push(t, bobSocket, contract.FriendAdded.Op, func(d contract.FriendAddedData) bool { return d.RoomID == room })
	if added.User.ID != ann.ID || added.User.Account != ann.Account {
		t.Fatalf("friend.added names %+v", added.User)
	}
	person.Push(t, annSocket, contract.FriendAdded.Op, func(d contract.FriendAddedData) bool { return d.User.ID == bob.ID })
	created := person.Push(t, bobSocket, contract.RoomCreated.Op, func(d contract.RoomCreatedData) bool { return d.Room.ID == room })
	if created.Room.Type != contract.RoomDirect || created.Room.FirstSeq != 1 {
		t.Fatalf("room.created says %+v", created.Room)
	}

	// The room is live on both sockets without a reconnect.
	clientID := id.New()
	sent := annSocket.Must(t, contract.OpMessageSend, send(room, clientID, "hello"))
	reply := decode[contract.SendReply](t, sent.Data)
	if reply.Seq != 1 || reply.Duplicate || reply.RoomID != room {
		t.Fatalf("sent as %+v", reply)
	}
	for name, socket := range map[string]*person.Socket{"ann": annSocket, "bob": bobSocket} {
		m := person.Push(t, socket, contract.MessagePushed.Op, func(m contract.Message) bool { return m.RoomID == room })
		if m.Seq != 1 || m.ID != reply.ID || m.Content.Text != "hello" || m.SenderID != ann.ID || m.ClientID != clientID || !m.SentAt.Equal(reply.SentAt.Time) {
			t.Fatalf("%s got %+v, acknowledged was %+v", name, m, reply)
		}
	}
	bobSocket.Must(t, contract.OpMessageSend, send(room, id.New(), "hi"))
	person.Push(t, annSocket, contract.MessagePushed.Op, func(m contract.Message) bool { return m.Seq == 2 && m.Content.Text == "hi" })

	// Reading moves the position, and both hear how far.
	state := person.Decode[contract.Room](t, ann.Getf(t, "/api/v1/rooms/%s", room).Is(t, http.StatusOK))
	if state.Unread != 1 || state.LastSeq != 2 || state.ReadSeq != 1 || state.Peer == nil || state.Peer.ID != bob.ID || !state.Peer.IsFriend {
		t.Fatalf("ann's room is %+v", state)
	}
	annSocket.Must(t, contract.OpReadSet, map[string]any{"room_id": room, "seq": 2})
	person.Push(t, bobSocket, contract.RoomReadPushed.Op, func(d contract.RoomReadData) bool { return d.UserID == ann.ID && d.Seq == 2 })
	if state := person.Decode[contract.Room](t, ann.Getf(t, "/api/v1/rooms/%s", room)); state.Unread != 0 {
		t.Fatalf("still %d unread", state.Unread)
	}

	// A new socket on the third gateway is told where the rooms stand.
	other := bob.Login(t, s.URLs[2], "tablet").Dial(t)
	head := contract.RoomHead{ID: room, FirstSeq: 1, LastSeq: 2, ReadSeq: 2}
	if len(other.Ready.Rooms) != 1 || other.Ready.Rooms[0] != head {
		t.Fatalf("ready says %+v, want %+v", other.Ready.Rooms, head)
	}
	if log := ann.History(t, room); len(log) != 2 || log[0].Content.Text != "hello" || log[1].Content.Text != "hi" {
		t.Fatalf("history is %+v", log)
	}
}
