package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-im/parley/e2e/person"
	"github.com/parley-im/parley/e2e/system"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
)

func sockets(t *testing.T, s *system.System) {
	list := people(t, s, "ann", "bob")
	ann, bob := list[0], list[1]
	room := ann.Befriend(t, bob)

	t.Run("authenticate by the first frame", func(t *testing.T) {
		socket := ann.DialBare(t)
		socket.Refused(t, "unauthenticated", contract.OpMessageSend, send(room, id.New(), "too early"))
		ready := decode[contract.ReadyData](t, socket.Must(t, contract.OpAuth, map[string]any{"token": ann.Access}).Data)
		if ready.UserID != ann.ID || ready.ConnectionID == "" || ready.HeartbeatMS <= 0 || ready.Limits.FrameBytes != 65536 || len(ready.Rooms) != 1 {
			t.Fatalf("got %+v", ready)
		}
		socket.Must(t, contract.OpMessageSend, send(room, id.New(), "in time"))
		person.Push(t, socket, contract.MessagePushed.Op, func(m contract.Message) bool { return m.Content.Text == "in time" })
	})

	t.Run("a bad token closes", func(t *testing.T) {
		socket := ann.DialBare(t)
		socket.Refused(t, "unauthenticated", contract.OpAuth, map[string]any{"token": ann.Access + "x"})
		if code := socket.Closed(t, 5*time.Second); code != contract.CloseUnauthenticated {
			t.Fatalf("closed with %d", code)
		}
		stranger := &person.Person{API: api(), Gateway: s.URLs[0], Access: "nonsense"}
		if _, err := stranger.TryDial(t.Context()); err == nil || !strings.Contains(err.Error(), "401") {
			t.Fatalf("upgraded: %v", err)
		}
	})

	t.Run("a live connection renews its token, and only its own", func(t *testing.T) {
		socket := ann.Dial(t)
		fresh := person.Decode[contract.Grant](t, refresh(t, ann, ann.Refresh).Is(t, http.StatusOK))
		ann.Access, ann.Refresh = fresh.AccessToken, fresh.RefreshToken
		socket.Must(t, contract.OpAuth, map[string]any{"token": fresh.AccessToken})
		socket.Refused(t, "permission_denied", contract.OpAuth, map[string]any{"token": bob.Access})
		socket.Must(t, contract.OpPing, nil)
	})

	t.Run("Origin is checked", func(t *testing.T) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URLs[0]+"/api/v1/ws", nil)
		if err != nil {
			t.Fatal(err)
		}
		for key, value := range map[string]string{
			"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
			"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Origin": "https://evil.example",
		} {
			request.Header.Set(key, value)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusForbidden {
			t.Fatalf("got %s", response.Status)
		}
	})
}

func hostileFrames(t *testing.T, s *system.System) {
	ann := people(t, s, "ann")[0]
	for name, frame := range map[string]string{
		"no JSON":          "hello",
		"an array":         "[]",
		"a number":         "7",
		"an unknown op":    `{"id":"x","op":"rm"}`,
		"no op":            `{"id":"x"}`,
		"a number as id":   `{"id":7,"op":"ping"}`,
		"a number as data": `{"id":"x","op":"message.send","data":7}`,
		"a deep array":     `{"id":"x","op":"message.send","data":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `}`,
		"no room":          `{"id":"x","op":"messages.get","data":{}}`,
		"a seq of text":    `{"id":"x","op":"messages.get","data":{"room_id":"r","after_seq":"1"}}`,
		"not UTF-8":        "{\"id\":\"x\",\"op\":\"\xff\xfe\"}",
	} {
		t.Run(name, func(t *testing.T) {
			socket := ann.Dial(t)
			socket.Write(t, []byte(frame))
			refused := refusal(t, socket)
			if refused.Error == nil || refused.Error.Code != "invalid_argument" {
				t.Fatalf("got %+v", refused)
			}
			socket.Must(t, contract.OpPing, nil) // the connection lives
			socket.Close()
		})
	}
	t.Run("every room at once", func(t *testing.T) {
		socket := ann.Dial(t)
		for _, room := range []string{">", "*", "a.b", "a b", "nothere"} {
			socket.Refused(t, "not_found", contract.OpMessagesGet, map[string]any{"room_id": room})
		}
	})
	t.Run("64 KiB and one byte", func(t *testing.T) {
		socket := ann.Dial(t)
		const shell = `{"id":"x","op":"ping","data":""}`
		socket.Write(t, []byte(strings.Replace(shell, `""`, `"`+strings.Repeat("a", 65536-len(shell))+`"`, 1)))
		socket.Must(t, contract.OpPing, nil)
		// The gateway may close before it has read all of it.
		_ = socket.TryWrite(t.Context(), []byte(strings.Replace(shell, `""`, `"`+strings.Repeat("a", 65537-len(shell))+`"`, 1)))
		if code := socket.Closed(t, 5*time.Second); code != contract.CloseTooLarge {
			t.Fatalf("closed with %d", code)
		}
	})
	t.Run("again and again", func(t *testing.T) {
		socket := ann.Dial(t)
		for range 25 {
			if err := socket.TryWrite(t.Context(), []byte("nonsense")); err != nil {
				break // closed already
			}
		}
		if code := socket.Closed(t, 5*time.Second); code != contract.CloseTooFast {
			t.Fatalf("closed with %d", code)
		}
	})
}

// refusal waits for an error that answers no frame that was asked with Ask.
func refusal(t *testing.T, socket *person.Socket) person.Frame {
	t.Helper()
	var got person.Frame
	eventually(t, "an error", func() bool {
		for _, frame := range socket.Pushes() {
			if frame.Op == contract.OpError {
				got = frame
				return true
			}
		}
		return false
	})
	return got
}

// pooledConnections opens and closes many sockets while rooms are busy: no
// frame may reach a socket of someone who is not in the room.
func pooledConnections(t *testing.T, s *system.System) {
	list := people(t, s, numbered("p", 6)...)
	var rooms []string
	for i := 0; i < len(list); i += 2 {
		list[i+1].Gateway = list[i].Gateway // one gateway: its pools are shared
		rooms = append(rooms, list[i].Befriend(t, list[i+1]))
	}
	stop := make(chan struct{})
	var senders, churn sync.WaitGroup
	for i, room := range rooms {
		socket := list[2*i].Dial(t)
		senders.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := socket.Ask(t.Context(), contract.OpMessageSend, send(room, id.New(), fmt.Sprint(n))); err != nil {
					t.Errorf("send: %v", err)
					return
				}
			}
		})
	}
	for i := range rooms {
		p, room := list[2*i+1], rooms[i]
		for range 4 {
			churn.Go(func() {
				for range 15 {
					socket, err := p.TryDial(t.Context())
					if err != nil {
						t.Errorf("dial: %v", err)
						return
					}
					for range 3 {
						if _, err := socket.Ask(t.Context(), contract.OpPing, nil); err != nil {
							t.Errorf("ping: %v", err)
						}
					}
					for _, frame := range socket.Pushes() {
						if frame.Op == contract.MessagePushed.Op {
							if m := decode[contract.Message](t, frame.Data); m.RoomID != room {
								t.Errorf("a message of room %s reached a socket of room %s", m.RoomID, room)
							}
						}
					}
					socket.Close()
				}
			})
		}
	}
	churn.Wait()
	close(stop)
	senders.Wait()
}
