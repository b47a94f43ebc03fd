package gateway

import "testing"

func TestAsks(t *testing.T) {
	a := newAsks()
	for _, userID := range []string{"ann", "bob", "ann"} {
		a.add(userID)
	}
	if n := a.waiting(); n != 2 {
		t.Fatalf("%d wait", n)
	}
	take := func(want string) {
		t.Helper()
		if got, _ := a.take(); got != want {
			t.Fatalf("took %q, not %q", got, want)
		}
	}
	take("ann")
	if a.start("ann") || a.start("bob") {
		t.Fatal("the turn of who is read or waits anyway")
	}
	a.add("ann") // what is being read may be older
	a.add("ann")
	take("bob")
	take("")
	a.done("ann")
	take("ann")
	a.done("ann")
	a.done("bob")
	if !a.start("ann") {
		t.Fatal("who was read can't be read again")
	}
	a.done("ann")
	if len(a.state) != 0 {
		t.Fatalf("remembers %v", a.state)
	}
}
