package chat_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/services/chat"
)

// crowd makes a room of n people, in which one message has been said.
func (w *world) crowd(n int) (users []string) {
	w.t.Helper()
	for i := range n {
		users = append(users, fmt.Sprint("user-", i))
	}
	w.social.join("room", users...)
	ask(w, contract.SendMessage, sendRequest("room", users[0], "c-1"))
	return users
}

// read has users set their position, all at once.
func (w *world) read(users ...string) {
	w.t.Helper()
	var wg sync.WaitGroup
	for _, user := range users {
		set := try(w, contract.SetRead, contract.MessageRequest{Caller: caller(user), RoomID: "room", Seq: 1})
		wg.Go(func() {
			if err := set(); err != nil {
				w.t.Errorf("%s: %v", user, err)
			}
		})
	}
	wg.Wait()
}

func TestRun_tells_a_room_of_many_readers_at_once(t *testing.T) {
	const window = 100 * time.Millisecond
	w := newWorld(t)
	w.start(newFile(t), func(c *chat.Config) { c.ReadWindow = window })
	users := w.crowd(50)
	live := w.listen("im.room.room.room.>")
	began := time.Now()
	w.read(users[1:]...)
	heard, pushes := map[string]bool{}, 0
	for len(heard) < len(users)-1 {
		switch msg := w.hear(live); msg.Subject {
		case "im.room.room.room.read":
			d, err := contract.RoomReadPushed.Decode(msg.Data)
			if err != nil || d.Seq != 1 || d.RoomID != "room" {
				t.Fatalf("published %s", msg.Data)
			}
			heard[d.UserID] = true
		case "im.room.room.room.reads":
			d, err := contract.RoomReadsPushed.Decode(msg.Data)
			if err != nil || len(d.Reads) < 2 || d.RoomID != "room" {
				t.Fatalf("published %s", msg.Data)
			}
			for _, m := range d.Reads {
				heard[m.UserID] = heard[m.UserID] || m.Seq == 1
			}
		default:
			continue // the head
		}
		pushes++
	}
	if bound := 2 + int(time.Since(began)/window); pushes > bound {
		t.Errorf("%d pushes, want at most %d", pushes, bound)
	}
}

func TestRun_tells_only_the_reader_in_a_larger_room(t *testing.T) {
	w := newWorld(t)
	w.start(newFile(t), func(c *chat.Config) { c.ReadWindow, c.ReadAudience = time.Millisecond, 9 })
	users := w.crowd(10)
	room, own := w.listen("im.room.room.room.>"), w.listen("im.user.*.room.read")
	w.read(users[1:]...)
	heard := map[string]bool{}
	for range users[1:] {
		msg := w.hear(own)
		d, err := contract.OwnReadPushed.Decode(msg.Data)
		if err != nil || d.RoomID != "room" || d.Seq != 1 || msg.Subject != "im.user."+d.UserID+".room.read" {
			t.Fatalf("published %s: %s", msg.Subject, msg.Data)
		}
		heard[d.UserID] = true
	}
	if len(heard) != len(users)-1 {
		t.Errorf("heard of %v", heard)
	}
	// Someone leaves, and the room is small enough.
	rev := w.social.leave("room", users[9])
	left, err := contract.MemberLeft.Encode(contract.MemberLeftData{RoomID: "room", UserID: users[9], By: users[9], MemberCount: 9, Rev: rev})
	w.social.publish("im.room.room.member.left", left, err)
	w.await("the room to be told", func() bool {
		seq := ask(w, contract.SendMessage, sendRequest("room", users[0], fmt.Sprint(time.Now().UnixNano()))).Seq
		ask(w, contract.SetRead, contract.MessageRequest{Caller: caller(users[1]), RoomID: "room", Seq: seq})
		for {
			select {
			case msg := <-room:
				if msg.Subject == "im.room.room.room.read" {
					return true
				}
			case <-time.After(100 * time.Millisecond):
				return false
			}
		}
	})
}
