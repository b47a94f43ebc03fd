package faults

import (
	"reflect"
	"testing"
	"time"
)

func TestSchedule(t *testing.T) {
	deck := []Card{
		{Kill, []string{"a", "b"}}, {Pause, []string{"a", "b"}}, {Slow, []string{"a>c", "b>c"}}, {StoreFail, []string{"b"}},
	}
	const length = 5 * time.Minute
	one := Schedule(7, deck, 2*time.Second, length)
	if !reflect.DeepEqual(one, Schedule(7, deck, 2*time.Second, length)) {
		t.Fatal("the same seed gives different faults")
	}
	if reflect.DeepEqual(one, Schedule(8, deck, 2*time.Second, length)) {
		t.Fatal("different seeds give the same faults")
	}
	kinds, until := map[Kind]int{}, map[string]time.Duration{}
	for _, f := range one {
		kinds[f.Kind]++
		if f.At < until[f.Target] || f.At+f.For > length {
			t.Fatalf("%v, but the target has a fault until %v", f, until[f.Target])
		}
		until[f.Target] = f.At + f.For
	}
	for _, card := range deck {
		if kinds[card.Kind] < len(one)/len(deck)-1 {
			t.Fatalf("%d of %d are %s: %v", kinds[card.Kind], len(one), card.Kind, kinds)
		}
	}
	if len(one) < 50 {
		t.Fatalf("%d faults in %v", len(one), length)
	}
}
