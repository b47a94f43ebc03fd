package id_test

import (
	"regexp"
	"testing"

	"github.com/parley-im/parley/pkg/id"
)

var safe = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

func TestNew_is_unique_and_safe(t *testing.T) {
	seen := map[string]bool{}
	for range 10_000 {
		v := id.New()
		if !safe.MatchString(v) {
			t.Fatalf("unsafe id %q", v)
		}
		if seen[v] {
			t.Fatalf("%q twice", v)
		}
		seen[v] = true
	}
}

func TestPair_is_one_room_for_either_order(t *testing.T) {
	a, b, c := id.New(), id.New(), id.New()
	if id.Pair(a, b) != id.Pair(b, a) {
		t.Fatal("the order matters")
	}
	if id.Pair(a, b) == id.Pair(a, c) {
		t.Fatal("two pairs share a room")
	}
	if !safe.MatchString(id.Pair(a, b)) {
		t.Fatalf("unsafe id %q", id.Pair(a, b))
	}
}
