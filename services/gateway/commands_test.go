package gateway

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/fasthttp/websocket"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
)

// Whatever a client sends is understood or refused as invalid, never passed
// on half understood.
func FuzzDecodeFrame(f *testing.F) {
	for _, seed := range []string{
		`{"id":"7","op":"message.send","data":{"room_id":"r","client_id":"c","type":"text","content":{"text":"hi"}}}`,
		`{"id":"7","op":"messages.get","data":{"room_id":"r","after_seq":1e400}}`,
		`{"id":"7","op":"read.set","data":{"room_id":">","seq":-1}}`,
		`{"id":7}`, `[]`, ``, "{\"op\":\"\xff\"}", `{"id":"x","op":"auth","data":{"token":null}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		frame, err := decodeFrame(websocket.TextMessage, data)
		if err != nil {
			if !fault.Is(err, fault.InvalidArgument) {
				t.Fatalf("%q: %v", data, err)
			}
			return
		}
		if !utf8.Valid(data) || utf8.RuneCountInString(frame.ID) > maxFrameID {
			t.Fatalf("%q passed", data)
		}
		for _, into := range []any{&contract.SendData{}, &contract.GetData{}, &contract.SeqData{}, &contract.AuthData{}} {
			if err := decodeData(frame.Data, into); err != nil && !fault.Is(err, fault.InvalidArgument) {
				t.Fatalf("%q: %v", data, err)
			}
		}
		var d contract.SendData
		if decodeData(frame.Data, &d) == nil && checkRoomID(d.RoomID) == nil && !contract.ValidID(d.RoomID) {
			t.Fatalf("the unsafe room %q passed", d.RoomID)
		}
		// The id can be echoed.
		if _, err := json.Marshal(refusal{ID: frame.ID, Op: contract.OpError, Error: errRevoked}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestDecodeFrame_refuses_binary(t *testing.T) {
	if _, err := decodeFrame(websocket.BinaryMessage, []byte(`{"op":"ping"}`)); !fault.Is(err, fault.InvalidArgument) {
		t.Fatalf("got %v", err)
	}
}
