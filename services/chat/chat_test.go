package chat_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/rpc"
	"github.com/parley-im/parley/services/chat"
)

func TestRun_conversation(t *testing.T) {
	w := newWorld(t)
	w.start(newFile(t), func(c *chat.Config) { c.QuietAfter = 50 * time.Millisecond })
	w.social.join("room", "ann", "ben")
	w.social.join("empty", "ben")
	live, events := w.listen("im.room.room.>"), w.listen("im.evt.chat.>")

	sent := ask(w, contract.SendMessage, sendRequest("room", "ann", "c-1"))
	if sent.Seq != 1 || sent.RoomID != "room" || sent.Duplicate {
		t.Fatalf("sent %+v", sent)
	}
	msg := w.hear(live)
	pushed, err := contract.MessagePushed.Decode(msg.Data)
	if err != nil || msg.Subject != "im.room.room.message" || pushed.ID != sent.ID || pushed.Seq != 1 || pushed.SentAt != sent.SentAt || pushed.Content.Text != "text of c-1" {
		t.Fatalf("published %s: %s", msg.Subject, msg.Data)
	}
	head, err := contract.RoomHeadPushed.Decode(w.hear(live).Data)
	if err != nil || head != (contract.RoomHeadData{RoomID: "room", LastSeq: 1}) {
		t.Fatalf("announced %+v, %v", head, err)
	}
	again := ask(w, contract.SendMessage, sendRequest("room", "ann", "c-1"))
	if !again.Duplicate || again.Seq != sent.Seq || again.ID != sent.ID || again.SentAt != sent.SentAt {
		t.Fatalf("again %+v", again)
	}
	w.hear(live) // the head
	other := sendRequest("room", "ann", "c-1")
	other.Content.Text = "something else"
	refused(w, fault.AlreadyExists, contract.SendMessage, other)
	w.hear(live) // the head

	page := ask(w, contract.GetMessages, contract.HistoryRequest{Caller: caller("ben"), RoomID: "room"})
	if len(page.Items) != 1 || page.Items[0] != pushed || page.LastSeq != 1 || page.HasMore {
		t.Fatalf("history %+v", page)
	}

	at := contract.MessageRequest{Caller: caller("ben"), RoomID: "room", Seq: 1}
	ask(w, contract.SetRead, at)
	read, err := contract.RoomReadPushed.Decode(w.hear(live).Data)
	if err != nil || read != (contract.RoomReadData{RoomID: "room", UserID: "ben", Seq: 1}) {
		t.Fatalf("published %+v, %v", read, err)
	}
	ask(w, contract.SetRead, at) // did not move: nothing is published
	refused(w, fault.InvalidArgument, contract.SetRead, contract.MessageRequest{Caller: caller("ben"), RoomID: "room", Seq: 2})

	refused(w, fault.PermissionDenied, contract.RemoveMessage, at)
	at.Caller = caller("ann")
	ask(w, contract.RemoveMessage, at)
	removed, err := contract.MessageRemovedPushed.Decode(w.hear(live).Data)
	if err != nil || removed.Seq != 1 || removed.RemovedBy != "ann" {
		t.Fatalf("published %+v, %v", removed, err)
	}
	body, err := contract.MessageTombstoned.Decode(w.hear(events).Data)
	if err != nil || body.Data != (contract.MessageEvent{RoomID: "room", Seq: 1, By: "ann"}) {
		t.Fatalf("event %+v, %v", body, err)
	}
	ask(w, contract.RemoveMessage, at) // once more is no error

	states := ask(w, contract.ListRooms, contract.ListRoomsRequest{Caller: caller("ben")})
	if len(states.Items) != 2 || states.NextCursor != "" {
		t.Fatalf("rooms %+v", states)
	}
	i := slices.IndexFunc(states.Items, func(s contract.RoomState) bool { return s.RoomID == "room" })
	if s := states.Items[i]; s.LastSeq != 1 || s.ReadSeq != 1 || s.Unread != 0 || s.LastMessage == nil || s.LastMessage.Type != contract.MessageRemoved || s.LastMessage.Content.Text != "" {
		t.Fatalf("state %+v", s)
	}
	one := ask(w, contract.GetRoomStates, contract.GetRoomStatesRequest{Caller: caller("ben"), RoomIDs: []string{"elsewhere", "empty"}})
	if len(one.Items) != 1 || one.Items[0].RoomID != "empty" || one.Items[0].LastMessage != nil {
		t.Fatalf("states %+v", one)
	}
	if heads := ask(w, contract.ListHeads, contract.ListHeadsRequest{Caller: caller("ben")}); len(heads.Rooms) != 2 || heads.Rooms[0].Rev == 0 {
		t.Fatalf("heads %+v", heads)
	}
	if got := w.head("room"); got != 1 {
		t.Fatalf("head is %d", got)
	}
}

func TestRun_refuses_who_may_not(t *testing.T) {
	w := newWorld(t)
	w.start(newFile(t))
	w.social.join("room", "ann", "ben")
	w.social.set(contract.Membership{RoomID: "closed", Type: contract.RoomDirect, Role: contract.RoleMember, FirstSeq: 1, Closed: true}, "ann")
	ask(w, contract.SendMessage, sendRequest("room", "ann", "c-1"))

	outside := func(user string) {
		t.Helper()
		refused(w, fault.NotFound, contract.SendMessage, sendRequest("room", user, "c-1"))
		refused(w, fault.NotFound, contract.GetMessages, contract.HistoryRequest{Caller: caller(user), RoomID: "room"})
		refused(w, fault.NotFound, contract.RemoveMessage, contract.MessageRequest{Caller: caller(user), RoomID: "room", Seq: 1})
		refused(w, fault.NotFound, contract.SetRead, contract.MessageRequest{Caller: caller(user), RoomID: "room", Seq: 1})
		if got := ask(w, contract.GetRoomStates, contract.GetRoomStatesRequest{Caller: caller(user), RoomIDs: []string{"room"}}); len(got.Items) != 0 {
			t.Errorf("%s sees %+v", user, got)
		}
		if got := ask(w, contract.ListRooms, contract.ListRoomsRequest{Caller: caller(user)}); len(got.Items) != 0 {
			t.Errorf("%s lists %+v", user, got)
		}
	}
	outside("cem")
	refused(w, fault.FailedPrecondition, contract.SendMessage, sendRequest("closed", "ann", "c-1"))
	ask(w, contract.GetMessages, contract.HistoryRequest{Caller: caller("ann"), RoomID: "closed"}) // may read

	t.Run("a_member_who_was_removed", func(t *testing.T) {
		ask(w, contract.SendMessage, sendRequest("room", "ben", "c-1")) // now chat knows him
		rev := w.social.leave("room", "ben")
		frame, err := contract.MemberLeft.Encode(contract.MemberLeftData{RoomID: "room", UserID: "ben", By: "ann", Rev: rev})
		w.social.publish("im.room.room.member.left", frame, err)
		w.refusedWithinASecond("ben")
		outside("ben")
	})
	t.Run("a_member_who_was_removed_by_a_process_that_died", func(t *testing.T) {
		w.social.join("room", "dan")
		ask(w, contract.SendMessage, sendRequest("room", "dan", "c-1"))
		rev := w.social.leave("room", "dan")
		e, err := contract.GroupLeft.New("event-1", "room", time.Now(), contract.RoomEvent{RoomID: "room", Rev: rev, By: "ann", Left: []string{"dan"}})
		w.social.publish(e.Subject, e.Payload, err)
		w.refusedWithinASecond("dan")
	})
	t.Run("a_member_who_was_removed_while_NATS_was_away", func(t *testing.T) {
		w.social.join("room", "eve")
		ask(w, contract.SendMessage, sendRequest("room", "eve", "c-1"))
		w.social.leave("room", "eve")
		w.disconnect("parley-chat")
		w.refusedSoon("eve", 5*time.Second) // a reconnect takes up to 1.5 s
	})
	t.Run("one_who_joined_reads_from_there_on", func(t *testing.T) {
		head := w.head("room")
		w.social.set(contract.Membership{RoomID: "room", Type: contract.RoomGroup, Role: contract.RoleMember, FirstSeq: head + 1}, "fay")
		page := ask(w, contract.GetMessages, contract.HistoryRequest{Caller: caller("fay"), RoomID: "room"})
		if len(page.Items) != 0 || page.HasMore || page.LastSeq != head {
			t.Fatalf("%+v", page)
		}
		ask(w, contract.SendMessage, sendRequest("room", "ann", "c-2"))
		page = ask(w, contract.GetMessages, contract.HistoryRequest{Caller: caller("fay"), RoomID: "room"})
		if len(page.Items) != 1 || page.Items[0].Seq != head+1 || page.HasMore {
			t.Fatalf("%+v", page)
		}
	})
}

// head is asked for by social.
func (w *world) head(room string) int64 {
	w.t.Helper()
	exact, err := rpc.Call(within(w.t), rpc.NewClient(w.social.nc, rpc.ClientOptions{}), contract.GetHead, contract.HeadRequest{RoomID: room})
	if err != nil {
		w.t.Fatal(err)
	}
	return exact.LastSeq
}

func (w *world) refusedWithinASecond(user string) {
	w.t.Helper()
	w.refusedSoon(user, time.Second)
}

func (w *world) refusedSoon(user string, limit time.Duration) {
	w.t.Helper()
	start := time.Now()
	for n := 0; ; n++ {
		_, err := rpc.Call(within(w.t), w.gateway, contract.SendMessage, sendRequest("room", user, fmt.Sprint("late-", n)))
		if fault.Is(err, fault.NotFound) {
			return
		}
		if time.Since(start) > limit {
			w.t.Fatalf("%s may still send after %v: %v", user, time.Since(start), err)
		}
	}
}

// disconnect has the server end the connections of this name.
func (w *world) disconnect(name string) {
	w.t.Helper()
	list, err := w.nats.Connz(&server.ConnzOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	n := 0
	for _, c := range list.Conns {
		if c.Name == name {
			n++
			if err := w.nats.DisconnectClientByID(c.Cid); err != nil {
				w.t.Fatal(err)
			}
		}
	}
	if n == 0 {
		w.t.Fatalf("nobody is called %s", name)
	}
}

// Ten people send, one message after the other, to replicas that write the
// same room; one replica is stopped in the middle.
func TestRun_two_replicas_of_which_one_stops(t *testing.T) {
	w := newWorld(t)
	file := newFile(t)
	first, _ := w.start(file), w.start(file)
	w.social.join("room", "ann", "reader")
	const senders, each = 10, 40
	for s := range senders {
		w.social.join("room", fmt.Sprint("sender-", s))
	}
	live := w.listen("im.room.room.>")
	replicas, err := rpc.Replicas(within(t), w.observer, contract.Chat, 0)
	if err != nil || len(replicas) != 2 {
		t.Fatal(replicas, err)
	}

	var mu sync.Mutex
	acked := make(map[int64]string) // ids by seq
	half := make(chan struct{})
	var wg sync.WaitGroup
	for s := range senders {
		wg.Go(func() {
			for n := range each {
				if s == 0 && n == each/2 {
					close(half)
				}
				sent := w.sendUntilStored(sendRequest("room", fmt.Sprint("sender-", s), fmt.Sprint(n)), replicas[(s+n)%2])
				mu.Lock()
				if other, ok := acked[sent.Seq]; ok {
					t.Errorf("seq %d was given to %s and %s", sent.Seq, other, sent.ID)
				}
				acked[sent.Seq] = sent.ID
				mu.Unlock()
			}
		})
	}
	<-half
	if err := first.stop(); err != nil {
		t.Errorf("the first replica: %v", err)
	}
	wg.Wait()

	log := w.readAll("room", "reader")
	next := make(map[string]int)
	for _, m := range log {
		if m.ClientID != fmt.Sprint(next[m.SenderID]) {
			t.Fatalf("seq %d is %s of %s, want %d", m.Seq, m.ClientID, m.SenderID, next[m.SenderID])
		}
		next[m.SenderID]++
		if acked[m.Seq] != m.ID {
			t.Fatalf("seq %d is %s, acknowledged was %s", m.Seq, m.ID, acked[m.Seq])
		}
	}
	if len(log) != senders*each || len(acked) != senders*each {
		t.Fatalf("%d messages and %d receipts, want %d", len(log), len(acked), senders*each)
	}
	w.wantLiveView(live, log)
}

// sendUntilStored sends like a gateway: to the room's replica while it lives,
// again while the answer says that it may help.
func (w *world) sendUntilStored(req contract.SendRequest, to string) contract.SendReply {
	for range 100 {
		sent, err := rpc.Call(within(w.t), w.gateway, contract.SendMessage, req, rpc.To(to))
		if err == nil {
			return sent
		}
		if !fault.From(err).Code.Temporary() {
			w.t.Error(err)
			return contract.SendReply{}
		}
	}
	w.t.Error("a message was never stored")
	return contract.SendReply{}
}

// readAll pages through a room, oldest first.
func (w *world) readAll(room, user string) []contract.Message {
	w.t.Helper()
	var all []contract.Message
	for {
		after := int64(len(all))
		page := ask(w, contract.GetMessages, contract.HistoryRequest{Caller: caller(user), RoomID: room, AfterSeq: &after, Limit: 150})
		for _, m := range page.Items {
			if m.Seq != int64(len(all))+1 {
				w.t.Fatalf("seq %d where %d should be", m.Seq, len(all)+1)
			}
			all = append(all, m)
		}
		if !page.HasMore {
			return all
		}
	}
}

// wantLiveView follows the pushes by the rule for clients (drop what is old,
// fetch what is missing) and fails unless that gives the log.
func (w *world) wantLiveView(live chan *nats.Msg, log []contract.Message) {
	w.t.Helper()
	var view []contract.Message
	repair := func(to int64) {
		for int64(len(view)) < to {
			after, before := int64(len(view)), to+1
			page := ask(w, contract.GetMessages, contract.HistoryRequest{Caller: caller("reader"), RoomID: "room", AfterSeq: &after, BeforeSeq: &before})
			view = append(view, page.Items...)
		}
	}
	for len(view) < len(log) {
		msg := w.hear(live)
		if head, err := contract.RoomHeadPushed.Decode(msg.Data); err == nil && strings.HasSuffix(msg.Subject, ".room.head") {
			repair(head.LastSeq)
			continue
		}
		m, err := contract.MessagePushed.Decode(msg.Data)
		if err != nil {
			w.t.Fatal(err)
		}
		if m.Seq > int64(len(view)) {
			repair(m.Seq - 1)
			view = append(view, m)
		}
	}
	if !slices.Equal(view, log) {
		w.t.Fatal("what was pushed and fetched is not what is in the log")
	}
}

func TestRun_replies_fit(t *testing.T) {
	w := newWorld(t)
	file := newFile(t)
	w.start(file, func(c *chat.Config) { c.StoreTimeout = time.Minute })
	store := openStore(t, file)

	t.Run("200_of_the_longest_messages", func(t *testing.T) {
		w.social.join("room", "ann")
		for i, text := range []string{strings.Repeat("語", 4000), strings.Repeat("<", 4000), strings.Repeat("\u0001", 4000)} {
			room := fmt.Sprint("long-", i)
			w.social.join(room, "ann")
			var batch []chat.Record
			for seq := range int64(200) {
				batch = append(batch, chat.Record{Message: contract.Message{
					ID: fmt.Sprint(room, seq), RoomID: room, Seq: seq + 1, SenderID: "ann", ClientID: fmt.Sprint(seq),
					Type: contract.MessageText, Content: contract.Content{Text: text}, SentAt: contract.NewTime(time.Now()),
				}})
			}
			if _, err := store.Append(within(t), batch); err != nil {
				t.Fatal(err)
			}
			page := ask(w, contract.GetMessages, contract.HistoryRequest{Caller: caller("ann"), RoomID: room, Limit: 200})
			size := len(encode(t, page))
			if !page.HasMore || size > contract.MaxPageBytes+1000 || size < contract.MaxPageBytes-30_000 {
				t.Fatalf("%d messages in %d bytes, more: %v", len(page.Items), size, page.HasMore)
			}
			if all := w.readAll(room, "ann"); len(all) != 200 {
				t.Fatalf("%d messages", len(all))
			}
		}
	})
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
