//go:build !race

package contract

import (
	"testing"

	"github.com/parley-im/parley/pkg/allocs"
)

func TestAllocs(t *testing.T) {
	allocs.Check(t,
		allocs.Budget{Name: "encode a push", Run: BenchmarkPush_Encode, Allocs: 4},
		allocs.Budget{Name: "build a subject", Run: BenchmarkPush_Subject, Allocs: 1},
		allocs.Budget{Name: "read a subject", Run: BenchmarkParseRoomSubject, Allocs: 0},
	)
}
