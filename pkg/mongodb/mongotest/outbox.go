package mongotest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/mongodb"
)

// Outboxes is what an [mongodb.Outbox] must do on any server with events of five
// times the bytes that it returns at once: each comes once, in order.
func Outboxes(t *testing.T, db *mongodb.DB) {
	t.Helper()
	type doc struct {
		ID               string `bson:"_id"`
		Rev              int64  `bson:"rev"`
		mongodb.Outboxed `bson:",inline"`
	}
	const each, docs, perDoc = 512 << 10, 10, 4
	text := `"` + strings.Repeat("x", each-2) + `"`
	// The events of two documents alternate in time.
	for i := range docs {
		d := doc{ID: fmt.Sprint("d", i), Rev: 1}
		for k := range perDoc {
			at := 1000 * (i - i%2 + 1) // the first of its pair
			d.AddEvents(time.UnixMilli(int64(at+2*k+i%2)), []contract.Event{{
				ID: fmt.Sprintf("%03d", (i-i%2)*perDoc+2*k+i%2), Key: d.ID, Subject: "im.evt.x", Payload: []byte(text),
			}})
		}
		if _, err := db.Collection("notes").InsertOne(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	o := db.Outbox("notes")
	for got := 0; got < docs*perDoc; {
		events, err := o.Pending(t.Context(), 256)
		if err != nil || len(events) == 0 || len(events) > contract.EventBatchBytes/each {
			t.Fatalf("%d events at once, %v", len(events), err)
		}
		for _, e := range events {
			if e.ID != fmt.Sprintf("%03d", got) {
				t.Fatalf("event %s in the place of %d", e.ID, got)
			}
			got++
		}
		if err := o.Done(t.Context(), events); err != nil {
			t.Fatal(err)
		}
	}
}
