package chat_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/rpc"
)

var act = contract.Act{By: "root@ops", Reason: "a complaint"}

// command calls chat for an admin, and fails the test on a fault.
func command[Req, Rep any](w *world, m contract.Method[Req, Rep], req Req) Rep {
	w.t.Helper()
	rep, err := rpc.Call(within(w.t), w.admin, m, req)
	if err != nil {
		w.t.Fatalf("%s: %v", m.Name, err)
	}
	return rep
}

// audited waits for the next audit event of chat.
func audited(w *world, heard chan *nats.Msg) contract.AuditEvent {
	w.t.Helper()
	body, err := contract.ChatAudit.Decode(w.hear(heard).Data)
	if err != nil {
		w.t.Fatal(err)
	}
	return body.Data
}

func TestAdmin_force_remove(t *testing.T) {
	w := newWorld(t)
	store := newFile(t)
	w.start(store)
	w.start(store) // either may have stored what the other removes
	w.social.join("room", "ann", "ben")
	for _, clientID := range []string{"1", "2", "3"} {
		ask(w, contract.SendMessage, sendRequest("room", "ann", clientID))
	}
	pushes, audits := w.listen("im.room.room.message.removed"), w.listen(contract.ChatAudit.Subject())
	removed := command(w, contract.ForceRemove, contract.AdminMessageRequest{Act: act, RoomID: "room", Seq: 2})
	if removed.RoomID != "room" || removed.Seq != 2 || removed.RemovedBy != contract.RemovedByAdmin || removed.RemovedAt.IsZero() {
		t.Fatalf("%+v", removed)
	}
	if push, err := contract.MessageRemovedPushed.Decode(w.hear(pushes).Data); err != nil || push != removed {
		t.Errorf("pushed %+v, %v", push, err)
	}
	want := contract.AuditEvent{By: act.By, Reason: act.Reason, Action: "force_remove", UserID: "ann", RoomID: "room", Seq: 2}
	if got := audited(w, audits); got != want {
		t.Errorf("audited %+v, want %+v", got, want)
	}
	if again := command(w, contract.ForceRemove, contract.AdminMessageRequest{Act: act, RoomID: "room", Seq: 2}); again != removed {
		t.Errorf("again: %+v, want %+v", again, removed)
	}
	command(w, contract.ForceRemove, contract.AdminMessageRequest{Act: act, RoomID: "room", Seq: 3})
	if got := audited(w, audits); got.Seq != 3 {
		t.Errorf("the second removal of one message was audited: %+v", got)
	}
	w.await("all replicas to show the tombstone", func() bool {
		for range 8 {
			page := ask(w, contract.GetMessages, contract.HistoryRequest{Caller: caller("ben"), RoomID: "room"})
			if m := page.Items[1]; m.Seq != 2 || m.Type != contract.MessageRemoved || m.Content.Text != "" || m.ClientID != "2" {
				return false
			}
		}
		return true
	})
	refusedAdmin(w, fault.NotFound, contract.AdminMessageRequest{Act: act, RoomID: "room", Seq: 4})
	refusedAdmin(w, fault.NotFound, contract.AdminMessageRequest{Act: act, RoomID: "another", Seq: 1})
	refusedAdmin(w, fault.InvalidArgument, contract.AdminMessageRequest{Act: act, RoomID: "room"})
	refusedAdmin(w, fault.InvalidArgument, contract.AdminMessageRequest{RoomID: "room", Seq: 1})
}

func refusedAdmin(w *world, want fault.Code, req contract.AdminMessageRequest) {
	w.t.Helper()
	if _, err := rpc.Call(within(w.t), w.admin, contract.ForceRemove, req); !fault.Is(err, want) {
		w.t.Errorf("%+v: got %v, want %s", req, err, want)
	}
}

// exported reads all pages of a user's export.
func exported(w *world, user string) (kinds map[string]int, messages []contract.Message) {
	w.t.Helper()
	kinds = map[string]int{}
	for cursor := ""; ; {
		page := command(w, contract.ExportChat, contract.ExportRequest{Act: act, UserID: user, Cursor: cursor})
		if len(page.Items) > contract.MaxPage {
			w.t.Fatalf("a page of %d", len(page.Items))
		}
		for _, item := range page.Items {
			kinds[item.Kind]++
			if item.Kind != "message" {
				continue
			}
			var m contract.Message
			if err := json.Unmarshal(item.Data, &m); err != nil {
				w.t.Fatal(err)
			}
			messages = append(messages, m)
		}
		if cursor = page.NextCursor; cursor == "" {
			return kinds, messages
		}
	}
}

func TestAdmin_exports_and_erases_a_user(t *testing.T) {
	w := newWorld(t)
	store := newFile(t)
	w.start(store)
	w.start(store) // the one remembers what the other erases
	const rooms, each = 3, 250
	for i := range rooms {
		room := fmt.Sprint("room", i)
		w.social.join(room, "ann", "ben")
		for n := range each {
			ask(w, contract.SendMessage, sendRequest(room, "ann", fmt.Sprint(n)))
		}
		ask(w, contract.SendMessage, sendRequest(room, "ben", "b"))
	}
	kinds, messages := exported(w, "ann")
	if len(messages) != rooms*each || kinds["read_position"] != rooms {
		t.Fatalf("exported %v", kinds)
	}
	seen := map[string]bool{}
	for _, m := range messages {
		if seen[m.ID] || m.SenderID != "ann" || m.Content.Text != "text of "+m.ClientID {
			t.Fatalf("exported %+v", m)
		}
		seen[m.ID] = true
	}

	pushes, audits := w.listen(contract.EveryRoom(contract.MessageRemovedPushed.Op)), w.listen(contract.ChatAudit.Subject())
	calls, erased := 0, 0
	for done := false; !done; calls++ {
		reply := command(w, contract.EraseChat, contract.AdminUserRequest{Act: act, UserID: "ann"})
		done, erased = reply.Done, erased+reply.Erased
		if reply.Erased > 600 || calls > 20 {
			t.Fatalf("call %d: %+v", calls, reply)
		}
	}
	if erased != rooms*each || calls < 2 {
		t.Fatalf("erased %d by %d calls", erased, calls)
	}
	for range erased {
		w.hear(pushes)
	}
	want := contract.AuditEvent{By: act.By, Reason: act.Reason, Action: "erase_user", UserID: "ann"}
	for left := calls; left > 0; {
		switch got := audited(w, audits); {
		case got == want:
			left--
		case got.Action != "export_user": // of before
			t.Fatalf("audited %+v", got)
		}
	}
	w.await("all replicas to have forgotten", func() bool {
		for range 8 {
			after := int64(each - 10) // from memory
			page := ask(w, contract.GetMessages, contract.HistoryRequest{Caller: caller("ben"), RoomID: "room2", AfterSeq: &after})
			for _, m := range page.Items {
				if gone := m.Type == contract.MessageRemoved && m.Content.Text == "" && m.ClientID != ""; gone != (m.SenderID == "ann") {
					return false
				}
			}
		}
		return true
	})
	// Whoever sends again under a client_id gets the first seq, as ever.
	if again := ask(w, contract.SendMessage, sendRequest("room0", "ann", "7")); !again.Duplicate || again.Seq != 8 {
		t.Errorf("again under an erased client_id: %+v", again)
	}
	kinds, messages = exported(w, "ann")
	if len(kinds) != 0 || len(messages) != 0 {
		t.Errorf("left are %v", kinds)
	}
	if _, err := rpc.Call(within(t), w.admin, contract.ExportChat, contract.ExportRequest{Act: act, UserID: "ann", Cursor: "a b"}); !fault.Is(err, fault.InvalidArgument) {
		t.Errorf("a wrong cursor: %v", err)
	}
	if _, err := rpc.Call(within(t), w.admin, contract.EraseChat, contract.AdminUserRequest{Act: act}); !fault.Is(err, fault.InvalidArgument) {
		t.Errorf("nobody: %v", err)
	}
}
