// Package contracttest checks that what a service sends fits into a message of
// NATS.
package contracttest

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/parley-im/parley/pkg/contract"
)

// messageBytes is what a message of NATS may have by default, less its headers
// and the frame around a push or an event.
const messageBytes = 1<<20 - 1<<10

// Largest holds the largest requests, replies, pushes and events of a service:
// of a method and an event by name, of a push by op. nil stands for one that
// holds neither a list nor a text.
type Largest struct{ Requests, Replies, Pushes, Events map[string]any }

// Fits fails for each that may be too large for a message of NATS, and for each
// of the service that is not in the table: its size needs a bound.
func Fits(t *testing.T, service contract.Service, largest Largest) {
	t.Helper()
	for _, m := range contract.Methods() {
		if m.Service == service {
			fits(t, "request", m.Name, largest.Requests)
			fits(t, "reply", m.Name, largest.Replies)
		}
	}
	for _, p := range contract.Pushes() {
		if slices.Contains(p.Publishers, service) {
			fits(t, "push", string(p.Op), largest.Pushes)
		}
	}
	for _, e := range contract.Events() {
		if e.Service == service {
			fits(t, "event", e.Name, largest.Events)
		}
	}
}

func fits(t *testing.T, kind, name string, largest map[string]any) {
	t.Helper()
	value, known := largest[name]
	data, err := json.Marshal(value)
	switch {
	case err != nil:
		t.Errorf("%s %s: %v", kind, name, err)
	case !known:
		t.Errorf("%s %s is not in the table", kind, name)
	case len(data) > messageBytes:
		t.Errorf("%s %s may have %d bytes", kind, name, len(data))
	}
}
