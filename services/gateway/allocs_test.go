//go:build !race

package gateway

import (
	"testing"

	"github.com/parley-im/parley/pkg/allocs"
)

func TestAllocs(t *testing.T) {
	allocs.Check(t,
		allocs.Budget{Name: "decode a send", Run: BenchmarkDecodeFrame, Allocs: 8},
		allocs.Budget{Name: "give a push to connections", Run: BenchmarkHub_delivery, Allocs: 2110},
		allocs.Budget{Name: "write a push", Run: BenchmarkConn_write, Allocs: 0},
	)
}
