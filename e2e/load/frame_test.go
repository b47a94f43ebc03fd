package main

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
)

var aMessage = contract.Message{
	ID: "01M", RoomID: "01R", Seq: 1234567, ClientID: "c-1", SenderID: "01U", Type: contract.MessageText,
	Content: contract.Content{Text: `","seq":9,"client_id":"no","op":"ok"} \ 好`}, SentAt: contract.NewTime(time.Now()),
}

// same compares what was found, by whichever way.
func same(a, b frame) bool {
	return a.op == b.op && string(a.id) == string(b.id) && string(a.roomID) == string(b.roomID) &&
		a.seq == b.seq && string(a.clientID) == string(b.clientID)
}

func TestReadFrame(t *testing.T) {
	message, err := contract.MessagePushed.Encode(aMessage)
	if err != nil {
		t.Fatal(err)
	}
	sent, err := json.Marshal(contract.Reply[contract.SendReply]{ID: "17", Op: contract.OpOK, Data: contract.SendReply{RoomID: "01R", Seq: 8, ID: "01M"}})
	if err != nil {
		t.Fatal(err)
	}
	wantMessage := frame{op: "message", roomID: []byte("01R"), seq: 1234567, clientID: []byte("c-1")}
	wantSent := frame{op: contract.OpOK, id: []byte("17"), roomID: []byte("01R"), seq: 8}

	t.Run("as the contract encodes it, without decoding", func(t *testing.T) {
		if got, ok := scanMessage(message); !ok || !same(got, wantMessage) {
			t.Errorf("message: %+v, %v", got, ok)
		}
		if got, ok := scanSent(sent); !ok || !same(got, wantSent) {
			t.Errorf("reply: %+v, %v", got, ok)
		}
		if n := testing.AllocsPerRun(100, func() { _, _ = readFrame(message) }); n > 0 {
			t.Errorf("a message costs %v allocations", n)
		}
	})
	for name, c := range map[string]struct {
		raw  string
		want frame
	}{
		"another order": {`{"data":{"seq":5,"client_id":"c","room_id":"r"},"op":"message"}`, frame{op: "message", roomID: []byte("r"), seq: 5, clientID: []byte("c")}},
		"an escape":     {`{"id":"a\u0062","op":"ok","data":{"room_id":"r","seq":5}}`, frame{op: "ok", id: []byte("ab"), roomID: []byte("r"), seq: 5}},
		"an error":      {`{"id":"4","op":"error","error":{"code":"unavailable"}}`, frame{op: "error", id: []byte("4")}},
		"an empty page": {`{"id":"g0","op":"ok","data":{"items":[],"last_seq":3,"has_more":false}}`, frame{op: "ok", id: []byte("g0")}},
		"another push":  {`{"op":"room.head","data":{"room_id":"r","last_seq":5}}`, frame{op: "room.head", roomID: []byte("r")}},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := readFrame([]byte(c.raw)); err != nil || !same(got, c.want) {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
	for i := range message { // cut anywhere, nothing panics, and no seq is made up
		if f, ok := scanMessage(message[:i]); ok && f.seq != aMessage.Seq {
			t.Errorf("%q has seq %d", message[:i], f.seq)
		}
	}
	if _, err := readFrame(message[:len(message)/3]); err == nil {
		t.Error("a third of a frame was read")
	}
}

func TestClientID(t *testing.T) {
	a, b := newClientID(7, 3, 1, time.Second), newClientID(7, 3, 2, time.Second)
	if reflect.DeepEqual(a, b) {
		t.Error("two messages have one client_id")
	}
	if due, ours := dueOf(7, a[:]); !ours || due != time.Second {
		t.Errorf("due %v, %v", due, ours)
	}
	if _, ours := dueOf(8, a[:]); ours {
		t.Error("another run's was taken for ours")
	}
	if _, ours := dueOf(7, []byte("01ARZ3NDEKTSV4RRFFQ69G5FAV")); ours {
		t.Error("somebody else's was taken for ours")
	}
}
