package chat_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/id"
	"github.com/parley-im/parley/pkg/rpc"
	"github.com/parley-im/parley/services/chat"
)

// away is a world whose chat remembers 30 messages of a room, and whose store
// fails whenever it should not be asked.
type away struct {
	*world
	store *outage
}

func newAway(t *testing.T) *away {
	w := &away{world: newWorld(t), store: &outage{}}
	w.over(w.store)
	w.social.join("room", "ann")
	w.social.set(contract.Membership{RoomID: "room", Type: contract.RoomGroup, Role: contract.RoleMember, FirstSeq: 20}, "late")
	for n := range 30 {
		ask(w.world, contract.SendMessage, sendRequest("room", "ann", fmt.Sprint(n)))
	}
	return w
}

// get asks for history while the store is away.
func (w *away) get(user string, after, before int64, limit int) (contract.HistoryReply, error) {
	w.store.err.Store(&errLost)
	defer w.store.err.Store(nil)
	req := contract.HistoryRequest{Caller: caller(user), RoomID: "room", Limit: limit}
	if after >= 0 {
		req.AfterSeq = &after
	}
	if before >= 0 {
		req.BeforeSeq = &before
	}
	return rpc.Call(within(w.t), w.gateway, contract.GetMessages, req)
}

// shown is what memory says of one message; nothing without a type.
func (w *away) shown(seq int64) contract.Message {
	reply, err := w.get("ann", seq-1, seq+1, 1)
	if err != nil || len(reply.Items) == 0 {
		return contract.Message{}
	}
	return reply.Items[0]
}

func TestRun_what_is_remembered_needs_no_store(t *testing.T) {
	w := newAway(t)
	for name, c := range map[string]struct {
		user          string
		after, before int64
		limit         int
		want          string
	}{
		"a gap":                     {"ann", 10, 15, 50, "[11 12 13 14] of 30, more: false"},
		"the beginning of a gap":    {"ann", 10, 28, 4, "[11 12 13 14] of 30, more: true"},
		"all after, never the end":  {"ann", 26, -1, 50, "[27 28 29 30] of 30, more: true"},
		"after, since they joined":  {"late", 0, -1, 3, "[20 21 22] of 30, more: true"},
		"before, since they joined": {"late", -1, 22, 50, "[21 20] of 30, more: false"},
		"what is newer":             {"ann", 30, -1, 50, "unavailable"},
		"the newest":                {"ann", -1, -1, 50, "unavailable"},
		"a room that is not theirs": {"ben", 10, 15, 50, "not_found"},
	} {
		reply, err := w.get(c.user, c.after, c.before, c.limit)
		var seqs []int64
		for _, m := range reply.Items {
			seqs = append(seqs, m.Seq)
		}
		got := fmt.Sprintf("%v of %d, more: %v", seqs, reply.LastSeq, reply.HasMore)
		if err != nil {
			got = string(fault.From(err).Code)
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestRun_what_others_remove_is_not_remembered(t *testing.T) {
	w := newAway(t)
	chatUser := w.connect(contract.Chat) // as another replica has it
	publish := func(subject string, payload []byte, err error) {
		t.Helper()
		if err == nil {
			err = chatUser.Publish(subject, payload)
		}
		if err != nil {
			t.Fatal(err)
		}
	}

	t.Run("by_a_push", func(t *testing.T) {
		d := contract.MessageRemovedData{RoomID: "room", Seq: 11, RemovedBy: "ben", RemovedAt: contract.NewTime(time.Now())}
		frame, err := contract.MessageRemovedPushed.Encode(d)
		publish("im.room.room.message.removed", frame, err)
		w.await("the tombstone", func() bool { return w.shown(11).Type == contract.MessageRemoved })
		if m := w.shown(11); m.Content.Text != "" || m.RemovedBy != "ben" || *m.RemovedAt != d.RemovedAt || m.ClientID != "10" {
			t.Fatalf("%+v", m)
		}
		if m := w.shown(12); m.Type != contract.MessageText {
			t.Fatalf("%+v", m)
		}
	})

	t.Run("by_an_event_of_one_that_died_before_it_could_push", func(t *testing.T) {
		removal := chat.Removal{Place: chat.Place{RoomID: "room", Seq: 12}, By: "ben", At: contract.NewTime(time.Now())}
		e, err := contract.MessageTombstoned.New(id.New(), "room", removal.At.Time, contract.MessageEvent{RoomID: "room", Seq: 12, By: "ben"})
		if err == nil {
			removal.Events = []contract.Event{e}
			_, err = w.store.Store.Remove(within(t), removal)
		}
		if err != nil {
			t.Fatal(err)
		}
		w.await("the tombstone", func() bool { return w.shown(12).Type == contract.MessageRemoved })
		page := ask(w.world, contract.GetMessages, contract.HistoryRequest{Caller: caller("ann"), RoomID: "room"})
		if stored, m := page.Items[30-12], w.shown(12); string(encode(t, stored)) != string(encode(t, m)) {
			t.Fatalf("remembered is %+v, stored %+v", m, stored)
		}
	})

	t.Run("ours_at_once", func(t *testing.T) {
		ask(w.world, contract.RemoveMessage, contract.MessageRequest{Caller: caller("ann"), RoomID: "room", Seq: 13})
		if m := w.shown(13); m.Type != contract.MessageRemoved || m.RemovedBy != "ann" {
			t.Fatalf("%+v", m)
		}
	})

	t.Run("what_is_not_understood_may_be_anything", func(t *testing.T) {
		publish("im.room.room.message.removed", []byte(`{"op":"message.removed","data":{"room_id":7}}`), nil)
		w.await("all to be forgotten", func() bool { return w.shown(14).Type == "" })
	})
}

func TestRun_forgets_when_it_may_have_missed_a_removal(t *testing.T) {
	w := newAway(t)
	if w.shown(11).Type == "" {
		t.Fatal("it does not remember")
	}
	w.disconnect("parley-chat")
	w.await("all to be forgotten", func() bool {
		_, err := w.get("ann", 10, 12, 1) // while NATS is away nobody says so:
		return err != nil && strings.HasPrefix(fault.From(err).Detail, "messages can't be")
	})
	ask(w.world, contract.SendMessage, sendRequest("room", "ann", "again"))
	if m := w.shown(31); m.ClientID != "again" {
		t.Fatalf("what comes after is not remembered: %+v", m)
	}
}
