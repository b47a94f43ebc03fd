package chat_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/services/chat"
)

// hourAhead is a store whose clock is an hour ahead of the replica's.
type hourAhead struct{ chat.Store }

func (hourAhead) Now(context.Context) (time.Time, error) { return time.Now().Add(time.Hour), nil }

// TestHealth_tells_of_a_wrong_clock, and chat stays ready.
func TestHealth_tells_of_a_wrong_clock(t *testing.T) {
	w := newWorld(t)
	r := w.startOver(newFile(t), func(s chat.Store) chat.Store { return hourAhead{s} })
	for _, state := range r.health.States(within(t)) {
		if state.Name != "clock" {
			continue
		}
		if !state.Informs || !strings.HasPrefix(state.String(), "degraded: the machine's clock cannot be trusted") {
			t.Errorf("clock is %s", state)
		}
		return
	}
	t.Error("there is no check of the clock")
}
