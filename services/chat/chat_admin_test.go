package chat_test

import (
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
