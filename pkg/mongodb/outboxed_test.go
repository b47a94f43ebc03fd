package mongodb

import (
	"fmt"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/bson"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
)

func TestOutboxed_AddEvents(t *testing.T) {
	var o Outboxed
	o.AddEvents(time.UnixMilli(50), nil)
	if o.OutboxAt != 0 {
		t.Error("an empty outbox has a time")
	}
	o.AddEvents(time.UnixMilli(50), []contract.Event{{ID: "1"}, {ID: "2"}})
	o.AddEvents(time.UnixMilli(40), []contract.Event{{ID: "3"}}) // a replica whose clock is behind
	o.AddEvents(time.UnixMilli(60), []contract.Event{{ID: "4"}})
	for i, want := range []int64{50, 50, 50, 60} {
		if e := o.Outbox[i]; e.At != want || e.ID != fmt.Sprint(i+1) {
			t.Errorf("entry %d is %s at %d, want %d", i, e.ID, e.At, want)
		}
	}
	if o.OutboxAt != 50 {
		t.Errorf("outbox_at is %d, want 50", o.OutboxAt)
	}
	if !o.remove(map[string]bool{"1": true, "3": true, "2": true}) || o.OutboxAt != 60 || len(o.Outbox) != 1 {
		t.Errorf("after removing: %+v", o)
	}
	if o.remove(map[string]bool{"1": true}) {
		t.Error("removed what was gone")
	}
}

func TestOutboxed_merge(t *testing.T) {
	var stored, doc Outboxed
	stored.AddEvents(time.UnixMilli(70), []contract.Event{{ID: "1"}, {ID: "2"}})
	doc.AddEvents(time.UnixMilli(60), []contract.Event{{ID: "2"}, {ID: "3"}})
	if err := stored.merge(doc.Outbox); err != nil {
		t.Fatal(err)
	}
	if len(stored.Outbox) != 3 || stored.Outbox[2].ID != "3" || stored.Outbox[2].At != 70 || stored.OutboxAt != 70 {
		t.Errorf("merged: %+v", stored)
	}
	if err := stored.merge(make([]Event, maxWaiting)); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a full outbox took more: %v", err)
	}
}

func TestOutboxed_in_a_document(t *testing.T) {
	type doc struct {
		ID       string `bson:"_id"`
		Outboxed `bson:",inline"`
	}
	raw, err := bson.Marshal(doc{ID: "r"})
	if err != nil {
		t.Fatal(err)
	}
	if got := bson.Raw(raw).String(); got != `{"_id": "r"}` {
		t.Errorf("without events: %s", got)
	}
	d := &doc{ID: "r"}
	d.AddEvents(time.UnixMilli(5), []contract.Event{{ID: "e", Key: "r", Subject: "im.evt.x", Payload: []byte(`{"a":1}`)}})
	if raw, err = bson.Marshal(d); err != nil {
		t.Fatal(err)
	}
	want := `{"_id": "r","outbox": [{"id": "e","key": "r","subject": "im.evt.x","payload": "{\"a\":1}","at": {"$numberLong":"5"}}],"outbox_at": {"$numberLong":"5"}}`
	if got := bson.Raw(raw).String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
