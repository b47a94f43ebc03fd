package social

import (
	"fmt"
	"testing"

	"github.com/parley-im/parley/pkg/contract"
)

// BenchmarkRoom_add is what deciding on new members costs: all of a group of
// 2,000 at once, and 200 more in one of 1,800.
func BenchmarkRoom_add(b *testing.B) {
	ids := make([]string, 2_000)
	for i := range ids {
		ids[i] = fmt.Sprintf("01m8aqw27p1afbn88jt4%06d", i)
	}
	for name, before := range map[string]int{"2000_to_none": 0, "200_to_1800": 1_800} {
		var of Room
		if _, _, err := of.add(ids[:before], 2_000, 1, contract.Time{}); err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				grown := of
				if added, _, err := grown.add(ids[before:], 2_000, 1, contract.Time{}); err != nil || len(added) != 2_000-before {
					b.Fatal(len(added), err)
				}
			}
		})
	}
}
