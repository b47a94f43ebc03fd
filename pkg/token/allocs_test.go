//go:build !race

package token_test

import (
	"testing"

	"github.com/parley-im/parley/pkg/allocs"
)

func TestAllocs(t *testing.T) {
	allocs.Check(t, allocs.Budget{Name: "verify", Run: BenchmarkVerify, Allocs: 56})
}
