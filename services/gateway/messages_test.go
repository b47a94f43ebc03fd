package gateway

import (
	"encoding/json"
	"testing"

	"github.com/parley-im/parley/pkg/contract"
)

// Someone sends, leaves the group, joins again with history from there on, and
// repeats the send: over HTTP, too, that is no error.
func TestHTTP_send_again_after_joining_again(t *testing.T) {
	w := newWorld(t, nil)
	w.remembers = true
	bearer := w.token(t, "ann", "s1")
	var sent [2]contract.Message
	for i, want := range []int{201, 200} {
		status, _, body := w.do(t, "POST", "/api/v1/rooms/r/messages", `{"client_id":"c","type":"text","content":{"text":"hello"}}`,
			"Authorization", "Bearer "+bearer, "Content-Type", "application/json")
		if status != want {
			t.Fatalf("the request is answered %d %s, not %d", status, body, want)
		}
		if err := json.Unmarshal([]byte(body), &sent[i]); err != nil {
			t.Fatal(err)
		}
	}
	if sent[0] != sent[1] || sent[1].Content.Text != "hello" || sent[1].Seq != 1 {
		t.Errorf("got %+v and %+v", sent[0], sent[1])
	}
}
