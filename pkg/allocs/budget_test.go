//go:build !race

package allocs

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// verdict is a test that may fail.
type verdict struct{ complaints []string }

func (v *verdict) Helper()             {}
func (v *verdict) Logf(string, ...any) {}
func (v *verdict) Errorf(f string, args ...any) {
	v.complaints = append(v.complaints, fmt.Sprintf(f, args...))
}

var sink []byte

// allocating makes that many allocations an operation.
func allocating(n int) func(*testing.B) {
	return func(b *testing.B) {
		sink = make([]byte, 1<<20) // set up: not counted
		for b.Loop() {
			for range n {
				sink = make([]byte, 100)
			}
		}
	}
}

func TestAllocs(t *testing.T) {
	nested := func(b *testing.B) {
		b.Run("one", allocating(1))
		b.Run("two", allocating(2))
	}
	for name, c := range map[string]struct {
		run       func(*testing.B)
		budget    int64
		complains string // about what
	}{
		"none":              {run: allocating(0), budget: 0},
		"as many as may be": {run: allocating(3), budget: 3},
		"fewer":             {run: allocating(3), budget: 4},
		"one too many":      {run: allocating(4), budget: 3, complains: "4 allocations"},
		"one where none":    {run: allocating(1), budget: 0, complains: "1 allocations"},
		"nested":            {run: nested, budget: 3},
		"nested, too many":  {run: nested, budget: 2, complains: "3 allocations"},
		"fails":             {run: func(b *testing.B) { b.Fatal("broken") }, budget: 9, complains: "fails"},
		"fails within": {run: func(b *testing.B) {
			b.Run("inner", func(b *testing.B) { b.Error("broken") })
		}, budget: 9, complains: "fails"},
		"fails at length": {run: func(b *testing.B) {
			for n := range b.N {
				if n > 10 {
					b.Fatal("broken")
				}
			}
		}, budget: 9, complains: "fails"},
	} {
		t.Run(name, func(t *testing.T) {
			defer fix(t)()
			var v verdict
			Budget{Run: c.run, Allocs: c.budget}.check(&v)
			about := func(s string) bool { return strings.Contains(s, c.complains) }
			if c.complains == "" && len(v.complaints) > 0 || c.complains != "" && !slices.ContainsFunc(v.complaints, about) {
				t.Errorf("it says %q, want something about %q", v.complaints, c.complains)
			}
		})
	}
}
