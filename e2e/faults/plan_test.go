package faults

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

func TestPlanRooms(t *testing.T) {
	plan := func(seed uint64) []Plan { return PlanRooms(rand.New(rand.NewPCG(seed, 0)), 60, 20) }
	rooms := plan(1)
	if !reflect.DeepEqual(rooms, plan(1)) || reflect.DeepEqual(rooms, plan(2)) {
		t.Fatal("rooms do not follow from the seed")
	}
	direct, late, largest := 0, 0, 0
	for _, p := range rooms {
		all := p.everyone()
		slices.Sort(all)
		if len(slices.Compact(all)) != 1+len(p.Members)+len(p.Late) || all[len(all)-1] >= 60-churners {
			t.Fatalf("%+v", p)
		}
		late += len(p.Late)
		largest = max(largest, len(all))
		switch {
		case p.Direct && len(all) != 2, !p.Direct && len(all) < leastGroup:
			t.Fatalf("%+v", p)
		case p.Direct:
			direct++
		}
	}
	if len(rooms) != 20 || direct != 4 || late < 10 || largest != mostGroup {
		t.Fatalf("%d rooms, %d direct, %d late members, the largest of %d", len(rooms), direct, late, largest)
	}
}
