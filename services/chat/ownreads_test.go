package chat

import (
	"context"
	"errors"
	"maps"
	"testing"
)

// A write that fails is tried again although no message follows.
func TestOwnReads_tries_again(t *testing.T) {
	calls := make(chan map[readKey]int64)
	failed := false
	o := startOwnReads(func(_ context.Context, positions map[readKey]int64) error {
		if !failed {
			failed = true
			return errors.New("away")
		}
		calls <- maps.Clone(positions)
		return nil
	})
	o.sent("ann", "room", 7)
	select {
	case got := <-calls:
		if got[readKey{"ann", "room"}] != 7 {
			t.Errorf("wrote %v", got)
		}
	case <-within(t).Done():
		t.Fatal("the position was never written")
	}
	o.stop()
}
