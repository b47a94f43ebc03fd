package e2e

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/parley-im/parley/e2e/person"
	"github.com/parley-im/parley/e2e/system"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
	"github.com/parley-im/parley/pkg/rpc"
)

// groupOfTwenty has ten of twenty people, on three gateways, send at the same
// time: each client ends with every message once and in order.
func groupOfTwenty(t *testing.T, s *system.System) {
	const senders, each = 10, 10
	list := people(t, s, numbered("g", 20)...)
	for _, p := range list[1:] {
		list[0].Befriend(t, p)
	}
	room := list[0].Group(t, "twenty", list[1:]...)
	sockets := make([]*person.Socket, len(list))
	for i, p := range list {
		sockets[i] = p.Dial(t)
	}
	var wg sync.WaitGroup
	acked := make([][]contract.SendReply, senders)
	for i := range senders {
		wg.Go(func() {
			for n := range each {
				reply, err := sockets[i].Ask(t.Context(), contract.OpMessageSend, send(room.ID, fmt.Sprintf("s%d-%d", i, n), fmt.Sprintf("%d/%d", i, n)))
				if err != nil || reply.Op != contract.OpOK {
					t.Errorf("send: %v %+v", err, reply.Error)
					return
				}
				acked[i] = append(acked[i], decode[contract.SendReply](t, reply.Data))
			}
		})
	}
	wg.Wait()
	log := list[0].History(t, room.ID)
	whole(t, log, senders*each)
	for i := range senders {
		for n, reply := range acked[i] {
			if m := log[reply.Seq-1]; m.ID != reply.ID || m.Content.Text != fmt.Sprintf("%d/%d", i, n) {
				t.Fatalf("acknowledged as seq %d, which holds %+v", reply.Seq, m)
			}
			if n > 0 && acked[i][n-1].Seq >= reply.Seq {
				t.Fatalf("sender %d's messages changed their order", i)
			}
		}
	}
	for i, socket := range sockets {
		got := socket.Follow(t, room.ID, 0, senders*each)
		if len(got.Messages) != len(log) {
			t.Fatalf("client %d has %d messages", i, len(got.Messages))
		}
		for n := range log {
			if got.Messages[n].ID != log[n].ID {
				t.Fatalf("client %d has %+v at %d", i, got.Messages[n], n)
			}
		}
	}
}

// whole checks that a room's history counts 1, 2, 3… with n messages, none
// twice.
func whole(t *testing.T, log []contract.Message, n int) {
	t.Helper()
	if len(log) != n {
		t.Fatalf("%d messages, want %d", len(log), n)
	}
	keys := map[string]bool{}
	for i, m := range log {
		key := m.SenderID + " " + m.ClientID
		if m.Seq != int64(i+1) || keys[key] {
			t.Fatalf("at %d stands %+v", i+1, m)
		}
		keys[key] = true
	}
}

// twoWriters forces two chat replicas to write the same room at once, past
// the gateways' pinning.
func twoWriters(t *testing.T, s *system.System) {
	const each = 100
	list := people(t, s, "ann", "bob")
	ann, bob := list[0], list[1]
	room := ann.Befriend(t, bob)
	nc := connect(t, s, contract.OperatorUser)
	replicas, err := rpc.Replicas(t.Context(), nc, contract.Chat, time.Second)
	if err != nil || len(replicas) != 2 {
		t.Fatalf("replicas %q, %v", replicas, err)
	}
	client := rpc.NewClient(nc, rpc.ClientOptions{Timeout: 20 * time.Second})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var wg sync.WaitGroup
	var mu sync.Mutex
	bySeq := map[int64]string{}
	for i := range 2 * each {
		p, replica := list[i%2], replicas[i/2%2]
		wg.Go(func() {
			request := contract.SendRequest{
				Caller: contract.Caller{UserID: p.ID, SessionID: "forced"}, RoomID: room, ClientID: fmt.Sprint(i),
				Type: contract.MessageText, Content: contract.Content{Text: fmt.Sprint(i)},
			}
			reply, err := rpc.Call(ctx, client, contract.SendMessage, request, rpc.To(replica))
			if err != nil {
				t.Errorf("send: %v", err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if other, taken := bySeq[reply.Seq]; taken {
				t.Errorf("seq %d was given to %s and %d", reply.Seq, other, i)
			}
			bySeq[reply.Seq] = fmt.Sprint(i)
		})
	}
	wg.Wait()
	log := bob.History(t, room)
	whole(t, log, 2*each)
	for _, m := range log {
		if bySeq[m.Seq] != m.ClientID {
			t.Fatalf("seq %d holds %s, acknowledged to %s", m.Seq, m.ClientID, bySeq[m.Seq])
		}
	}
}

// sameClientID sends one message a hundred times at once through all
// gateways: it is stored once, and every answer names it.
func sameClientID(t *testing.T, s *system.System) {
	list := people(t, s, "ann", "bob")
	ann, bob := list[0], list[1]
	room := ann.Befriend(t, bob)
	socket := bob.Dial(t)
	clientID := id.New()
	var wg sync.WaitGroup
	answers := make([]person.Answer, 100)
	for i := range answers {
		p := *ann
		p.Gateway = s.URLs[i%len(s.URLs)]
		wg.Go(func() { answers[i] = p.Send(t, room, clientID, "once") })
	}
	wg.Wait()
	created := 0
	for _, answer := range answers {
		if answer.Status == http.StatusCreated {
			created++
		} else {
			answer.Is(t, http.StatusOK)
		}
		if m := person.Decode[contract.Message](t, answer); m.Seq != 1 {
			t.Fatalf("answered %+v", m)
		}
	}
	if created != 1 {
		t.Fatalf("%d answers say that it is new", created)
	}
	ann.Send(t, room, id.New(), "and another").Is(t, http.StatusCreated)
	whole(t, bob.History(t, room), 2)
	if log := socket.Follow(t, room, 0, 2); len(log.Messages) != 2 {
		t.Fatalf("bob's client has %+v", log.Messages)
	}
}
