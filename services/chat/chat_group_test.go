package chat_test

import (
	"encoding/json"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
)

// What comes together is of different people: each is judged, and answered,
// by itself, whether or not memory knows who they are.
func TestRun_sends_that_come_together(t *testing.T) {
	w := newWorld(t)
	w.start(newFile(t))
	w.social.join("room", "ann", "ben")
	w.social.join("other", "ann")
	sent := ask(w, contract.SendMessage, sendRequest("room", "ann", "before")) // of the others nothing is known
	live := w.listen("im.room.*.message")

	changed := sendRequest("room", "ann", "before")
	changed.Content.Text = "something else"
	empty := sendRequest("room", "ann", "empty")
	empty.Content.Text = ""
	group := []contract.SendRequest{
		sendRequest("room", "ann", "1"), sendRequest("room", "stranger", "1"), empty,
		sendRequest("room", "ann", "before"), changed, sendRequest("other", "ann", "1"),
		sendRequest("room", "ann", "1"), sendRequest("room", "ben", "1"),
	}
	want := []fault.Code{"", fault.NotFound, fault.InvalidArgument, "", fault.AlreadyExists, "", "", ""}

	body, err := json.Marshal(group)
	if err != nil {
		t.Fatal(err)
	}
	gateway := w.connect(contract.Gateway)
	msg := &nats.Msg{
		Subject: contract.SendMessage.Subject(), Data: body,
		Header: nats.Header{contract.HeaderGroup: {"8"}},
	}
	reply := request(t, gateway, msg)
	var results []struct {
		Reply contract.SendReply `json:"reply"`
		Fault *fault.Error       `json:"fault"`
	}
	if err := json.Unmarshal(reply.Data, &results); err != nil || len(results) != len(want) {
		t.Fatalf("answered %s, %v", reply.Data, err)
	}
	for i, r := range results {
		switch {
		case want[i] == "" && (r.Fault != nil || r.Reply.RoomID != group[i].RoomID || r.Reply.Seq == 0):
			t.Errorf("%d: %+v, %v", i, r.Reply, r.Fault)
		case want[i] != "" && (r.Fault == nil || r.Fault.Code != want[i]):
			t.Errorf("%d: %+v, %v, want %s", i, r.Reply, r.Fault, want[i])
		}
	}
	if again := results[3].Reply; !again.Duplicate || again.Seq != sent.Seq || again.ID != sent.ID {
		t.Errorf("sent before: %+v", again)
	}
	if first, twice := results[0].Reply, results[6].Reply; first.Seq != twice.Seq || first.ID != twice.ID {
		t.Errorf("twice in one group: %+v and %+v", first, twice)
	}
	published := map[string]int{}
	for range 3 {
		m, err := contract.MessagePushed.Decode(w.hear(live).Data)
		if err != nil {
			t.Fatal(err)
		}
		published[m.RoomID+" "+m.SenderID+" "+m.ClientID]++
	}
	for _, key := range []string{"room ann 1", "room ben 1", "other ann 1"} {
		if published[key] != 1 {
			t.Errorf("published %v", published)
		}
	}
}

// request asks as the gateway's client does, at an inbox where chat may answer.
func request(t *testing.T, nc *nats.Conn, msg *nats.Msg) *nats.Msg {
	t.Helper()
	msg.Reply = "_INBOX_gateway.chat.test"
	answers, err := nc.SubscribeSync(msg.Reply)
	if err != nil {
		t.Fatal(err)
	}
	if err := nc.PublishMsg(msg); err != nil {
		t.Fatal(err)
	}
	reply, err := answers.NextMsgWithContext(within(t))
	if err != nil {
		t.Fatal(err)
	}
	return reply
}
