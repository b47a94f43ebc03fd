package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-im/parley/e2e/person"
	"github.com/parley-im/parley/e2e/system"
	"github.com/parley-im/parley/pkg/contract"
)

// TestCrash_of_a_chat_replica kills one of two chat replicas while ten people
// send: every acknowledged message is in the history once, in order.
func TestCrash_of_a_chat_replica(t *testing.T) {
	s := system.Start(t, system.Options{})
	const senders = 10
	list := people(t, s, numbered("c", senders)...)
	for _, p := range list[1:] {
		list[0].Befriend(t, p)
	}
	// Several rooms, so that each replica has some.
	rooms := make([]string, 4)
	for i := range rooms {
		rooms[i] = list[0].Group(t, fmt.Sprintf("room %d", i), list[1:]...).ID
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var sent atomic.Int64
	var killed atomic.Bool
	var wg sync.WaitGroup
	acked := make([]map[string]contract.SendReply, senders)
	for i, p := range list {
		socket := p.Dial(t)
		acked[i] = map[string]contract.SendReply{}
		wg.Go(func() {
			after := 0
			for n := 0; after < 20; n++ {
				if killed.Load() {
					after++
				}
				clientID := fmt.Sprintf("%d-%d", i, n)
				reply, err := deliver(ctx, socket, rooms[n%len(rooms)], clientID, func(string) {})
				if err != nil {
					t.Errorf("sender %d: %v", i, err)
					return
				}
				acked[i][clientID] = reply
				sent.Add(1)
			}
		})
	}
	eventually(t, "the senders are at work", func() bool { return sent.Load() > 200 })
	s.Chat[0].Kill(t)
	killed.Store(true)
	wg.Wait()

	inLog := map[string]contract.Message{}
	for _, room := range rooms {
		log := list[1].History(t, room)
		whole(t, log, len(log))
		for _, m := range log {
			inLog[m.ClientID] = m
		}
	}
	total := 0
	for i := range acked {
		for clientID, reply := range acked[i] {
			total++
			if m, ok := inLog[clientID]; !ok || m.Seq != reply.Seq || m.ID != reply.ID || m.RoomID != reply.RoomID {
				t.Fatalf("%s was acknowledged as %+v, and the log has %+v", clientID, reply, m)
			}
		}
	}
	if int64(total) != sent.Load() || len(inLog) != total {
		t.Fatalf("%d acknowledged, %d stored", total, len(inLog))
	}
}

// deliver sends as a client does, with the same client_id until acknowledged,
// over one socket that must stay open. It tells refused of each passing error.
func deliver(ctx context.Context, socket *person.Socket, room, clientID string, refused func(code string)) (contract.SendReply, error) {
	for {
		frame, err := socket.Ask(ctx, contract.OpMessageSend, send(room, clientID, clientID))
		if err != nil {
			return contract.SendReply{}, err
		}
		if frame.Op == contract.OpOK {
			var reply contract.SendReply
			return reply, json.Unmarshal(frame.Data, &reply)
		}
		refused(frame.Error.Code)
		switch frame.Error.Code {
		case "unavailable", "deadline_exceeded", "resource_exhausted":
		default:
			return contract.SendReply{}, fmt.Errorf("refused: %+v", frame.Error)
		}
		wait := time.NewTimer(max(time.Duration(frame.Error.RetryAfterMS)*time.Millisecond, 50*time.Millisecond))
		select {
		case <-wait.C:
		case <-ctx.Done():
			return contract.SendReply{}, ctx.Err()
		}
	}
}
