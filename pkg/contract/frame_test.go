package contract_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
)

func TestPush_is_the_frame_that_clients_get(t *testing.T) {
	frame, err := contract.RoomHeadPushed.Encode(contract.RoomHeadData{RoomID: "r1", LastSeq: 7})
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"op":"room.head","data":{"room_id":"r1","last_seq":7}}`; string(frame) != want {
		t.Fatalf("got %s, want %s", frame, want)
	}
}

func TestEvent_round_trip(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 678_900_000, time.FixedZone("x", 3600))
	e, err := contract.FriendshipMade.New("e1", "d_1", at, contract.FriendshipEvent{RoomID: "d_1", UserIDs: []string{"a", "b"}, Rev: 3})
	if err != nil {
		t.Fatal(err)
	}
	body, err := contract.FriendshipMade.Decode(e.Payload)
	if err != nil {
		t.Fatal(err)
	}
	if e.Subject != "im.evt.social.friendship.made" || body.Type != "social.friendship.made" || body.Data.Rev != 3 {
		t.Fatalf("got %+v, %+v", e, body)
	}
	if got, _ := json.Marshal(body.At); string(got) != `"2026-01-02T02:04:05.678Z"` {
		t.Fatalf("got %s", got)
	}
}

func TestCloseCode_tells_who_reconnects(t *testing.T) {
	if !contract.CloseTooSlow.Reconnect() || !contract.CloseServiceRestart.Reconnect() || contract.CloseSessionRevoked.Reconnect() {
		t.Fatal("the ranges of api.md do not hold")
	}
}

// Whatever a client sends, decoding gives an error or a frame, never a panic,
// and a frame that decodes survives a second round.
func FuzzFrame(f *testing.F) {
	f.Add([]byte(`{"id":"7","op":"message.send","data":{"room_id":"r","client_id":"c","type":"text","content":{"text":"hi"}}}`))
	f.Add([]byte(`{"id":7}`))
	f.Add([]byte(`[`))
	f.Add([]byte("{\"op\":\"\xff\"}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var frame contract.Frame
		if json.Unmarshal(data, &frame) != nil {
			return
		}
		again, err := json.Marshal(frame)
		if err != nil {
			t.Fatal(err)
		}
		var second contract.Frame
		if err := json.Unmarshal(again, &second); err != nil || second.Op != frame.Op || second.ID != frame.ID {
			t.Fatalf("%s became %s: %v", data, again, err)
		}
	})
}
