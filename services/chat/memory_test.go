package chat

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
)

// messagesOf are messages of a room as a Log stores them.
func messagesOf(room string, from, to int64) []Record {
	var all []Record
	for seq := from; seq <= to; seq++ {
		r := record(room, "ann", fmt.Sprint(seq))
		r.Seq, r.SentAt = seq, contract.NewTime(time.Now())
		all = append(all, r)
	}
	return all
}

// remember stores messages in memory, as if inserted at this moment.
func remember(m *Memory, records []Record) { m.Stored(m.Moment(), records) }

// held says which seqs of a room are remembered, tombstones in brackets.
func held(m *Memory, room string) string {
	page, _ := m.Page(Range{RoomID: room, From: 1, To: m.Last(room), Newest: true, Limit: 1000, Bytes: 1 << 30})
	slices.Reverse(page)
	var seqs []string
	for _, one := range page {
		if seqs = append(seqs, fmt.Sprint(one.Seq)); one.Type == contract.MessageRemoved {
			seqs[len(seqs)-1] = "[" + seqs[len(seqs)-1] + "]"
		}
	}
	return strings.Join(seqs, " ")
}

func wantHeld(t *testing.T, m *Memory, room, want string) {
	t.Helper()
	if got := held(m, room); got != want {
		t.Fatalf("of %s it holds %q, want %q", room, got, want)
	}
}

// wantCounted fails when what is counted is not what is there.
func wantCounted(t *testing.T, m *Memory) {
	t.Helper()
	messages, bytes := 0, 0
	for room, s := range m.stretches {
		bytes += stretchSize
		for i, one := range s.kept {
			messages++
			bytes += Record{Message: one.message}.Size()
			if one.message.RoomID != room || one.message.Seq != s.first()+int64(i) {
				t.Fatalf("%s holds %+v at %d", room, one.message, i)
			}
		}
	}
	if gotMessages, gotBytes := m.Size(); gotMessages != messages || gotBytes != bytes || m.order.Len() != len(m.stretches) {
		t.Fatalf("%d messages in %d bytes and %d rooms, counted %d, %d and %d",
			messages, bytes, len(m.stretches), gotMessages, gotBytes, m.order.Len())
	}
}

func TestMemory_Stored(t *testing.T) {
	t.Run("keeps_one_stretch_without_holes", func(t *testing.T) {
		m := testMemory()
		remember(m, messagesOf("room", 5, 7))
		remember(m, messagesOf("room", 8, 9))
		wantHeld(t, m, "room", "5 6 7 8 9")
		remember(m, messagesOf("room", 12, 13)) // another replica stored 10 and 11
		wantHeld(t, m, "room", "12 13")
		wantCounted(t, m)
	})

	t.Run("keeps_to_its_bounds", func(t *testing.T) {
		now := time.Now()
		size := Record{Message: messagesOf("room-0", 1, 1)[0].Message}.Size()
		m := NewMemory(MemoryOptions{PerRoom: 3, Bytes: 4 * (stretchSize + 2*size), Age: time.Minute, Now: func() time.Time { return now }})
		remember(m, messagesOf("room-0", 1, 5))
		wantHeld(t, m, "room-0", "3 4 5")
		for room := range 100 {
			for seq := range int64(5) {
				remember(m, messagesOf(fmt.Sprint("room-", room%10), 1+seq, 1+seq))
				if _, bytes := m.Size(); bytes > m.o.Bytes {
					t.Fatalf("%d bytes, of %d", bytes, m.o.Bytes)
				}
			}
			wantCounted(t, m)
		}
		wantHeld(t, m, "room-9", "3 4 5") // the last written
		wantHeld(t, m, "room-0", "")
		if got := held(m, "room-6"); got != "4 5" && got != "5" && got != "" {
			t.Fatalf("of an older room it holds %q", got)
		}

		now = now.Add(time.Minute)
		wantHeld(t, m, "room-9", "") // too old to be shown
		if m.Last("room-9") != 5 {
			t.Fatal("that the room has got so far is true for ever")
		}
		remember(m, messagesOf("new", 1, 1))
		if messages, _ := m.Size(); messages != 1 {
			t.Fatalf("%d messages, all but one of them too old", messages)
		}
		wantCounted(t, m)
	})

	t.Run("a_message_larger_than_all_is_not_kept", func(t *testing.T) {
		m := NewMemory(MemoryOptions{PerRoom: 3, Bytes: 100, Age: time.Minute, Now: time.Now})
		remember(m, messagesOf("room", 1, 1))
		wantHeld(t, m, "room", "")
		wantCounted(t, m)
	})

	t.Run("keeps_nothing_when_told_to", func(t *testing.T) {
		for _, o := range []MemoryOptions{{Bytes: 1 << 20, Age: time.Hour}, {PerRoom: 9, Age: time.Hour}, {PerRoom: 9, Bytes: 1 << 20}} {
			o.Now = time.Now
			m := NewMemory(o)
			remember(m, messagesOf("room", 1, 3))
			if messages, bytes := m.Size(); messages != 0 || bytes != 0 {
				t.Fatalf("%+v keeps %d messages", o, messages)
			}
		}
	})
}

func TestMemory_removals(t *testing.T) {
	at := Place{RoomID: "room", Seq: 6}
	when := contract.NewTime(time.Now())

	t.Run("a_tombstone_takes_the_place", func(t *testing.T) {
		m := testMemory()
		remember(m, messagesOf("room", 5, 7))
		for range 2 { // push and event
			m.Removed(at, "ben", when)
		}
		for _, elsewhere := range []Place{{"room", 4}, {"room", 8}, {"other", 6}} {
			m.Removed(elsewhere, "ben", when)
		}
		wantHeld(t, m, "room", "5 [6] 7")
		wantCounted(t, m)
		page, _ := m.Page(Range{RoomID: "room", From: 6, To: 6, Limit: 1})
		if got := page[0]; got.Content.Text != "" || got.RemovedBy != "ben" || *got.RemovedAt != when || got.ClientID != "6" || got.SenderID != "ann" {
			t.Fatalf("%+v", got)
		}
	})

	t.Run("a_doubt_cuts_the_stretch", func(t *testing.T) {
		m := testMemory()
		remember(m, messagesOf("room", 5, 8))
		m.Doubt(at)
		wantHeld(t, m, "room", "7 8")
		m.Doubt(Place{RoomID: "room", Seq: 100})
		wantHeld(t, m, "room", "")
		wantCounted(t, m)
	})

	// The message is in the store, and removed by someone quick, before the
	// insert has returned.
	for name, overtake := range map[string]func(*Memory){
		"a_removal": func(m *Memory) { m.Removed(at, "ben", when) },
		"a_doubt":   func(m *Memory) { m.Doubt(at) },
		"a_removal_before_many_others": func(m *Memory) {
			m.Removed(at, "ben", when)
			for seq := range int64(300) {
				m.Removed(Place{RoomID: "other", Seq: seq + 1}, "ben", when)
			}
		},
		"a_drop": func(m *Memory) { m.DropAll() },
	} {
		t.Run("an_insert_that_is_overtaken_by_"+name, func(t *testing.T) {
			m := testMemory()
			began := m.Moment()
			overtake(m)
			m.Stored(began, messagesOf("room", 5, 7))
			page, _ := m.Page(Range{RoomID: "room", From: 6, To: 6, Limit: 1})
			if len(page) != 0 {
				t.Fatalf("it remembers %+v", page[0])
			}
			wantCounted(t, m)
			remember(m, messagesOf("room", 8, 9))
			if got := held(m, "room"); !strings.HasSuffix(got, "8 9") {
				t.Fatalf("what comes after is not kept: %q", got)
			}
		})
	}

	t.Run("a_removal_from_before_does_not_matter", func(t *testing.T) {
		m := testMemory()
		m.Removed(Place{RoomID: "room", Seq: 4}, "ben", when)
		began := m.Moment()
		m.Removed(Place{RoomID: "room", Seq: 4}, "ben", when)
		m.Stored(began, messagesOf("room", 5, 7))
		wantHeld(t, m, "room", "5 6 7")
	})

	t.Run("all_is_dropped", func(t *testing.T) {
		m := testMemory()
		remember(m, messagesOf("room", 5, 7))
		m.DropAll()
		wantHeld(t, m, "room", "")
		wantCounted(t, m)
	})
}

// What memory holds of a page is what the store says.
func TestMemory_Page_is_the_stores(t *testing.T) {
	store, m := newStore(t), testMemory()
	fill(t, store, "room", 60)
	all, err := store.Page(within(t), Range{RoomID: "room", From: 1, To: 60, Limit: 60, Bytes: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	remember(m, all[20:])
	rng, whole := rand.New(rand.NewPCG(1, 2)), 0
	for range 3000 {
		r := Range{RoomID: "room", From: 1 + rng.Int64N(65), To: rng.Int64N(65), Newest: rng.IntN(2) == 0, Limit: 1 + rng.IntN(50), Bytes: 1 + rng.IntN(8000)}
		want, err := store.Page(within(t), r)
		if err != nil {
			t.Fatal(err)
		}
		got, all := m.Page(r)
		if all {
			whole++
		}
		if all && len(got) != len(want) || len(got) > len(want) {
			t.Fatalf("%+v: %d messages, whole %v, the store has %d", r, len(got), all, len(want))
		}
		for i := range got {
			if got[i] != want[i].Message {
				t.Fatalf("%+v: %+v at %d, the store has %+v", r, got[i], i, want[i])
			}
		}
	}
	if whole < 500 {
		t.Fatalf("only %d of the pages were in memory", whole)
	}
}
