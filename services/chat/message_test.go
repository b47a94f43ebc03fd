package chat

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
)

func TestCheckSend(t *testing.T) {
	good := contract.SendRequest{
		Caller: contract.Caller{UserID: "ann"}, RoomID: "room", ClientID: "c-1",
		Type: contract.MessageText, Content: contract.Content{Text: "hello"},
	}
	for name, c := range map[string]struct {
		edit  func(*contract.SendRequest)
		field string // that is refused
	}{
		"a good one":             {func(*contract.SendRequest) {}, ""},
		"4,000 characters":       {func(r *contract.SendRequest) { r.Content.Text = strings.Repeat("語", 4000) }, ""},
		"64 of a client id":      {func(r *contract.SendRequest) { r.ClientID = strings.Repeat("a", 64) }, ""},
		"a room that is unsafe":  {func(r *contract.SendRequest) { r.RoomID = "*" }, "room_id"},
		"a caller that is empty": {func(r *contract.SendRequest) { r.Caller.UserID = "" }, "caller.user_id"},
		"no client id":           {func(r *contract.SendRequest) { r.ClientID = "" }, "client_id"},
		"65 of a client id":      {func(r *contract.SendRequest) { r.ClientID = strings.Repeat("a", 65) }, "client_id"},
		"a client id with dots":  {func(r *contract.SendRequest) { r.ClientID = "a.b" }, "client_id"},
		"another type":           {func(r *contract.SendRequest) { r.Type = contract.MessageRemoved }, "type"},
		"no text":                {func(r *contract.SendRequest) { r.Content.Text = "" }, "content.text"},
		"4,001 characters":       {func(r *contract.SendRequest) { r.Content.Text = strings.Repeat("a", 4001) }, "content.text"},
		"broken UTF-8":           {func(r *contract.SendRequest) { r.Content.Text = "a\xff" }, "content.text"},
	} {
		t.Run(name, func(t *testing.T) {
			req := good
			c.edit(&req)
			err := checkSend(req)
			if c.field == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			f := fault.From(err)
			if f == nil || f.Code != fault.InvalidArgument || len(f.Fields) != 1 || f.Fields[0].Field != c.field {
				t.Fatalf("got %v", err)
			}
		})
	}
}

// A page must not be larger on the wire than it was thought to be.
func TestRecord_Size(t *testing.T) {
	at := contract.NewTime(time.Now())
	long := strings.Repeat("x", contract.MaxIDLength)
	alphabet := []rune("aé語🙂<>&\"\\\n\r\t\b\f\u0000\u001f\u007f\u0080\u2028\u2029\ufffd")
	for range 2000 {
		text := make([]rune, rand.IntN(40))
		for i := range text {
			text[i] = alphabet[rand.IntN(len(alphabet))]
		}
		r := Record{Message: contract.Message{
			ID: long, RoomID: long, Seq: 1 << 62, ClientID: long, SenderID: long,
			Type: contract.MessageRemoved, Content: contract.Content{Text: string(text)},
			SentAt: at, RemovedAt: &at, RemovedBy: long,
		}}
		data, err := json.Marshal(r.Message)
		if err != nil {
			t.Fatal(err)
		}
		if over := r.Size() - len(data); over < 0 || over > 100 {
			t.Fatalf("the size of %q is %d, as JSON %d", string(text), r.Size(), len(data))
		}
	}
}
