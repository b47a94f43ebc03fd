package chat

import (
	"fmt"
	"testing"
	"time"
)

// Twice as many rooms are written to as are kept: the head of each is
// announced once, when it is forgotten or when it has been quiet.
func TestActiveRooms_of_100_000_rooms(t *testing.T) {
	const kept, written = 50_000, 100_000
	a, now := newActiveRooms(kept), time.Now()
	announced := make(map[string]int64)
	announce := func(r *room) {
		if announced[r.id] != 0 {
			t.Fatalf("%s is announced again", r.id)
		}
		announced[r.id] = r.last
	}
	waits := a.get("room-7") // it has a message waiting all the time
	waits.slots = 1
	for n := range written {
		a.spoke(a.get(fmt.Sprint("room-", n)), int64(n)+1, now.Add(time.Duration(n)))
		before := len(announced)
		a.evict(announce)
		if len(a.byID) > kept || len(announced) > before+1 {
			t.Fatalf("after %d rooms %d are kept, %d were forgotten at once", n+1, len(a.byID), len(announced)-before)
		}
	}
	if len(announced) != written-kept || announced["room-0"] != 1 || a.byID["room-7"] != waits {
		t.Fatalf("%d rooms were forgotten; the first at %d", len(announced), announced["room-0"])
	}
	for r := a.nextQuiet(); r != nil && !r.quietAt.After(now.Add(written/2+1000)); r = a.nextQuiet() {
		announce(r)
		a.announced(r)
	}
	if n := len(announced); n != written-kept+1000+1 { // the last is the one that waited
		t.Fatalf("%d rooms are announced", n)
	}
	if a.used.Len() != len(a.byID) || a.quiet.Len() != written-len(announced) {
		t.Fatalf("%d used, %d quiet, %d rooms", a.used.Len(), a.quiet.Len(), len(a.byID))
	}
}

// What a message to yet another room costs, of twice as many as are kept: to
// find its room, forget another, and announce those that are quiet. It must
// not grow with the rooms kept, apart from the caches of the machine.
func BenchmarkActiveRooms(b *testing.B) {
	for _, kept := range []int{500, 5_000, 50_000} {
		b.Run(fmt.Sprintf("%d_kept", kept), func(b *testing.B) {
			ids := make([]string, 2*kept)
			for n := range ids {
				ids[n] = fmt.Sprint("room-", n)
			}
			a, now, heads := newActiveRooms(kept), time.Now(), 0
			announce := func(*room) { heads++ }
			n := 0
			write := func() {
				r := a.get(ids[n%len(ids)])
				a.spoke(r, int64(n), now.Add(time.Duration(n)))
				for r := a.nextQuiet(); r != nil && !r.quietAt.After(now.Add(time.Duration(n-kept/2))); r = a.nextQuiet() {
					announce(r)
					a.announced(r)
				}
				a.evict(announce)
				n++
			}
			for range 2 * len(ids) { // until all is full
				write()
			}
			for b.Loop() {
				write()
			}
			if heads < n-kept {
				b.Fatalf("%d heads of %d messages", heads, n)
			}
		})
	}
}
