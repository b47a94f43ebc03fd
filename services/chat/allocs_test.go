//go:build !race

package chat

import (
	"testing"

	"github.com/parley-im/parley/pkg/allocs"
)

// A lone sender pays for its commit alone; more of them share one. So the
// more there are, the less a message may allocate.
func TestAllocs(t *testing.T) {
	allocs.Check(t,
		allocs.Budget{Name: "append, 1 sender", Run: appendFrom(1), Allocs: 98},
		allocs.Budget{Name: "append, 10 senders", Run: appendFrom(10), Allocs: 67},
		allocs.Budget{Name: "append, 100 senders", Run: appendFrom(100), Allocs: 62},
	)
}
