package gateway

import (
	"math/rand/v2"
	"testing"
)

// A roster holds what a map would, small and large.
func TestRoster(t *testing.T) {
	for _, n := range []int{1, 3, rosterIndexed + 1, 100} {
		all := make([]*conn, n)
		for i := range all {
			all[i] = &conn{}
		}
		random := rand.New(rand.NewPCG(1, uint64(n)))
		want := map[*conn]bool{}
		var r roster
		for step := range 50 * n {
			c := all[random.IntN(n)]
			if step < 5*n || random.IntN(2) == 0 { // full at first
				r.add(c)
				want[c] = true
			} else {
				r.remove(c)
				delete(want, c)
			}
			if len(r.list) != len(want) {
				t.Fatalf("%d of %d in step %d", len(r.list), len(want), step)
			}
			for _, c := range all {
				if i := r.find(c); (i >= 0) != want[c] || i >= 0 && r.list[i] != c {
					t.Fatalf("at %d of %d in step %d, want %v", i, len(r.list), step, want[c])
				}
			}
		}
	}
}
