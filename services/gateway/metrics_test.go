package gateway

import (
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/parley-im/parley/pkg/contract"
)

func TestMetrics_of_frames_and_deliveries(t *testing.T) {
	w := newWorld(t, nil)
	w.in("ann", "r1")
	ws := w.dial(t, w.token(t, "ann", "s"))
	ready, err := next(t, ws)
	if err != nil {
		t.Fatal(err)
	}
	for _, frame := range []string{
		`{"id":"1","op":"message.send","data":{"room_id":"r1","client_id":"c","type":"text","content":{"text":"hi"}}}`,
		`{"id":"2","op":"message.send","data":{}}`,
		`{"id":"3","op":"ping"}`,
		`{"id":"4","op":"what"}`,
		`not a frame`,
	} {
		if err := ws.Write(t.Context(), websocket.MessageText, []byte(frame)); err != nil {
			t.Fatal(err)
		}
		if _, err := next(t, ws); err != nil {
			t.Fatal(err)
		}
	}
	publish(t, w.nc, contract.MessagePushed, "r1", contract.Message{RoomID: "r1", Seq: 1})
	if _, err := next(t, ws); err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct {
		code, op string
		n        float64
	}{
		{"ok", "message.send", 1}, {"invalid_argument", "message.send", 1}, {"ok", "ping", 1}, {"invalid_argument", "none", 2},
	} {
		if n := w.metric(t, "parley_gateway_frames_total", want.code, want.op); n != want.n {
			t.Errorf("%v frames of %s are %s, want %v", n, want.op, want.code, want.n)
		}
	}
	if n := w.metric(t, "parley_gateway_pushes_total", "message"); n != 1 {
		t.Errorf("%v pushes", n)
	}
	eventually(t, "the delivery is timed", func() bool { // just after it was written
		return w.observations(t, "parley_gateway_delivery_duration_seconds") == 1 && w.observations(t, "parley_gateway_message_age_seconds") == 1
	})
	eventually(t, "nothing waits", func() bool { return w.metric(t, "parley_gateway_queue_bytes") == 0 })

	// Chat has learned of which request of which connection this was.
	w.mu.Lock()
	defer w.mu.Unlock()
	connection, name, _ := strings.Cut(w.requests[0], ".")
	if !strings.Contains(ready, `"connection_id":"`+connection+`"`) || name != "1" {
		t.Errorf("request %s of %s", w.requests[0], ready)
	}
}

func TestRepairMetrics(t *testing.T) {
	w := newWorld(t, nil)
	w.in("ann", "r1")
	w.page = contract.HistoryReply{Items: make([]contract.Message, 3), LastSeq: 3}
	ws := w.dial(t, w.token(t, "ann", "s"))
	if _, err := next(t, ws); err != nil {
		t.Fatal(err)
	}
	for _, data := range []string{`{"room_id":"r1"}`, `{"room_id":"r1","after_seq":0}`} {
		if err := ws.Write(t.Context(), websocket.MessageText, []byte(`{"id":"1","op":"messages.get","data":`+data+`}`)); err != nil {
			t.Fatal(err)
		}
		if _, err := next(t, ws); err != nil {
			t.Fatal(err)
		}
	}
	response := w.get(t, "/api/v1/rooms/r1/messages?after_seq=0", w.token(t, "ann", "s"))
	if response != 200 {
		t.Fatal(response)
	}
	if reads, messages := w.metric(t, "parley_gateway_repairs_total"), w.metric(t, "parley_gateway_repaired_messages_total"); reads != 2 || messages != 6 {
		t.Errorf("%v repairs, %v messages", reads, messages)
	}
}
