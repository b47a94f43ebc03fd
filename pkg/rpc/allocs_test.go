//go:build !race

package rpc_test

import (
	"testing"

	"github.com/parley-im/parley/pkg/allocs"
)

// Both ends of the call, and nats.go's.
func TestAllocs(t *testing.T) {
	allocs.Check(t, allocs.Budget{Name: "call", Run: BenchmarkCall, Allocs: 52})
}
