package auth

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/parley-im/parley/pkg/fault"
)

// So many passwords are hashed at once; who finds no turn in time is told when
// to come again.
func TestHash_is_bounded(t *testing.T) {
	waits := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "waits"})
	p := newPasswords(passwordOptions{params: params{Memory: 8, Time: 1, Threads: 1}, atOnce: 2, wait: 10 * time.Millisecond}, waits)
	var turns []func()
	for range 2 {
		done, err := p.turn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		turns = append(turns, done)
	}
	if _, err := p.turn(t.Context()); !fault.Is(err, fault.ResourceExhausted) || fault.From(err).RetryAfter != 10*time.Millisecond {
		t.Fatalf("a third at once: %v", err)
	}
	turns[0]()
	done, err := p.turn(t.Context())
	if err != nil {
		t.Fatalf("after one has ended: %v", err)
	}
	done()
	turns[1]()
}
