package e2e

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/parley-im/parley/e2e/person"
	"github.com/parley-im/parley/e2e/system"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
)

func messages(t *testing.T, s *system.System) {
	list := people(t, s, "ann", "bob")
	ann, bob := list[0], list[1]
	room := ann.Befriend(t, bob)
	path := "/api/v1/rooms/" + room
	bobSocket := bob.Dial(t)

	for name, c := range map[string]struct {
		body  any
		field string
	}{
		"no client_id":          {map[string]any{"type": "text", "content": map[string]any{"text": "x"}}, "client_id"},
		"a client_id with dots": {person.Text("a.b", "x"), "client_id"},
		"a long client_id":      {person.Text(fmt.Sprintf("%065d", 1), "x"), "client_id"},
		"an unknown type":       {map[string]any{"client_id": "c1", "type": "video", "content": map[string]any{}}, "type"},
		"no text":               {person.Text("c1", ""), "content.text"},
		"a long text":           {person.Text("c1", long(4001)), "content.text"},
	} {
		t.Run("not with "+name, func(t *testing.T) {
			ann.Post(t, path+"/messages", c.body).Is(t, http.StatusBadRequest).Refused(t, "invalid_argument", c.field)
		})
	}

	// The longest text passes; the same client_id is the same message.
	first := person.Decode[contract.Message](t, ann.Send(t, room, "c1", long(4000)).Is(t, http.StatusCreated))
	again := person.Decode[contract.Message](t, ann.Send(t, room, "c1", long(4000)).Is(t, http.StatusOK))
	if first != again || first.Seq != 1 {
		t.Fatalf("sent %+v, again %+v", first, again)
	}
	ann.Send(t, room, "c1", "other content").Is(t, http.StatusConflict).Refused(t, "already_exists")
	second := person.Decode[contract.Message](t, bob.Send(t, room, "c1", "bob's own c1").Is(t, http.StatusCreated))
	if second.Seq != 2 {
		t.Fatalf("bob's is %+v", second)
	}
	received := person.Push(t, bobSocket, contract.MessagePushed.Op, func(m contract.Message) bool { return m.Seq == 1 })
	if received != first {
		t.Fatalf("pushed %+v, stored %+v", received, first)
	}

	// Removed: a tombstone stays, the seq with it.
	bob.Delete(t, path+"/messages/1").Is(t, http.StatusForbidden).Refused(t, "permission_denied")
	bob.Delete(t, path+"/messages/99").Is(t, http.StatusNotFound).Refused(t, "not_found")
	ann.Delete(t, path+"/messages/1").Is(t, http.StatusNoContent)
	person.Push(t, bobSocket, contract.MessageRemovedPushed.Op, func(d contract.MessageRemovedData) bool { return d.Seq == 1 && d.RemovedBy == ann.ID })
	log := bob.History(t, room)
	if len(log) != 2 || log[0].Type != contract.MessageRemoved || log[0].Content.Text != "" || log[0].RemovedBy != ann.ID || log[0].RemovedAt == nil {
		t.Fatalf("history %+v", log)
	}
	bobSocket.Must(t, contract.OpMessageRemove, map[string]any{"room_id": room, "seq": 2})
	// What was removed is still known by its client_id, and nothing reuses its seq.
	if third := person.Decode[contract.Message](t, ann.Send(t, room, id.New(), "third").Is(t, http.StatusCreated)); third.Seq != 3 {
		t.Fatalf("third is %+v", third)
	}

	// Read positions.
	ann.Put(t, path+"/read", map[string]any{"seq": 3}).Is(t, http.StatusNoContent)
	ann.Put(t, path+"/read", map[string]any{"seq": 1}).Is(t, http.StatusNoContent)
	if state := person.Decode[contract.Room](t, ann.Get(t, path)); state.ReadSeq != 3 {
		t.Fatalf("moved back to %d", state.ReadSeq)
	}
	ann.Put(t, path+"/read", map[string]any{"seq": 4}).Is(t, http.StatusBadRequest).Refused(t, "invalid_argument", "seq")
	ann.Put(t, path+"/read", map[string]any{"seq": -1}).Is(t, http.StatusBadRequest).Refused(t, "invalid_argument", "seq")
}

func history(t *testing.T, s *system.System) {
	list := people(t, s, "ann", "bob")
	ann, bob := list[0], list[1]
	room := ann.Befriend(t, bob)
	socket := ann.Dial(t)
	const n = 120
	for i := range n {
		socket.Must(t, contract.OpMessageSend, send(room, fmt.Sprintf("c%d", i), fmt.Sprintf("m%d", i+1)))
	}
	path := "/api/v1/rooms/" + room + "/messages"
	for name, c := range map[string]struct {
		query       string
		first, last int64
		count       int
		more        bool
	}{
		"the newest, by default 50": {"", 120, 71, 50, true},
		"before":                    {"?before_seq=11&limit=20", 10, 1, 10, false},
		"after":                     {"?after_seq=100&limit=10", 101, 110, 10, true},
		"after, to the end":         {"?after_seq=110", 111, 120, 10, false},
		"between":                   {"?after_seq=10&before_seq=21", 11, 20, 10, false},
		"nothing after the head":    {"?after_seq=120", 0, 0, 0, false},
		"the first page":            {"?page_index=1&page_size=30", 120, 91, 30, true},
		"the last page":             {"?page_index=4&page_size=30", 30, 1, 30, false},
		"a page beyond":             {"?page_index=5&page_size=30", 0, 0, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			got := person.Decode[contract.HistoryReply](t, bob.Get(t, path+c.query).Is(t, http.StatusOK))
			if len(got.Items) != c.count || got.LastSeq != n || got.HasMore != c.more ||
				c.count > 0 && (got.Items[0].Seq != c.first || got.Items[c.count-1].Seq != c.last) {
				t.Fatalf("got %d items, last_seq %d, has_more %v", len(got.Items), got.LastSeq, got.HasMore)
			}
		})
	}
	for query, field := range map[string]string{
		"?limit=0": "limit", "?limit=201": "limit", "?limit=x": "limit", "?after_seq=-1": "after_seq", "?before_seq=x": "before_seq",
		"?page_index=0&page_size=10": "page_index", "?page_index=1&page_size=201": "page_size",
	} {
		bob.Get(t, path+query).Is(t, http.StatusBadRequest).Refused(t, "invalid_argument", field)
	}

	// 200 long messages are more than a page may hold: it ends at 512 KiB.
	for i := range 60 {
		socket.Must(t, contract.OpMessageSend, send(room, fmt.Sprintf("long%d", i), long(4000)))
	}
	got := person.Decode[contract.HistoryReply](t, bob.Getf(t, "%s?after_seq=%d&limit=200", path, n).Is(t, http.StatusOK))
	if len(got.Items) >= 60 || len(got.Items) < 30 || !got.HasMore {
		t.Fatalf("a page of %d long messages, has_more %v", len(got.Items), got.HasMore)
	}
	if all := bob.History(t, room); len(all) != n+60 {
		t.Fatalf("%d messages in all", len(all))
	}
	reply := socket.Must(t, contract.OpMessagesGet, map[string]any{"room_id": room, "after_seq": 118, "limit": 2})
	if p := decode[contract.HistoryReply](t, reply.Data); len(p.Items) != 2 || p.Items[0].Seq != 119 || !p.HasMore {
		t.Fatalf("messages.get gave %+v", p)
	}

	// The room list: latest activity first, in pages.
	cat := people(t, s, "cat")[0]
	other := ann.Befriend(t, cat)
	ann.Send(t, room, id.New(), "old").Is(t, http.StatusCreated)
	cat.Send(t, other, id.New(), "newest").Is(t, http.StatusCreated)
	first := person.Decode[page[contract.Room]](t, ann.Get(t, "/api/v1/rooms?limit=1").Is(t, http.StatusOK))
	second := person.Decode[page[contract.Room]](t, ann.Getf(t, "/api/v1/rooms?limit=1&cursor=%s", first.NextCursor).Is(t, http.StatusOK))
	if len(first.Items) != 1 || first.Items[0].ID != other || first.Items[0].Unread != 1 || first.Items[0].LastMessage.Content.Text != "newest" ||
		len(second.Items) != 1 || second.Items[0].ID != room || second.NextCursor != "" {
		t.Fatalf("rooms %+v, %+v", first, second)
	}
}
