package chat

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/id"
)

func TestLog_Append(t *testing.T) {
	t.Run("numbers_publishes_and_then_answers", func(t *testing.T) {
		store := newStore(t)
		log := startLog(t, store)
		for seq := int64(1); seq <= 3; seq++ {
			sent := record("room", "ann", fmt.Sprint(seq))
			got := mustAppend(t, log, sent)
			if got.Seq != seq || got.ID != sent.ID || got.Duplicate {
				t.Fatalf("receipt is %+v", got)
			}
			if pushed := log.out.messages("room"); int64(len(pushed)) != seq || pushed[seq-1].ID != sent.ID || pushed[seq-1].SentAt != got.SentAt {
				t.Fatalf("published %+v", pushed)
			}
		}
		wantLog(t, store, "room", 3)
	})

	t.Run("one_insert_for_all_that_wait", func(t *testing.T) {
		store := &faulty{Store: newStore(t)}
		pass, open := newGate(t)
		store.onAppend = func(ctx context.Context, r []Record) (int, error) {
			pass()
			return store.Store.Append(ctx, r)
		}
		log := startLog(t, store)
		const senders = 100
		sent := atOnce(senders, func(i int) (Receipt, error) {
			return log.Append(within(t), record(fmt.Sprint("room-", i%7), "ann", fmt.Sprint(i)))
		})
		await(t, "all to wait", func() bool { return len(log.committers[0].queue) >= senders-len(store.batches()[0]) })
		open()
		for _, s := range sent() {
			if s.err != nil {
				t.Fatal(s.err)
			}
		}
		if n := len(store.batches()); n > 3 {
			t.Fatalf("%d inserts for %d sends at once", n, senders)
		}
	})

	t.Run("an_insert_ends_at_its_bounds", func(t *testing.T) {
		for name, bound := range map[string]func(*LogOptions){
			"messages": func(o *LogOptions) { o.BatchDocs = 3 },
			"bytes":    func(o *LogOptions) { o.BatchBytes = 3 * record("room", "ann", "00").Size() },
			"one byte": func(o *LogOptions) { o.BatchBytes = 1 },
		} {
			store := &faulty{Store: newStore(t)}
			store.onAppend = store.Store.Append
			log := startLog(t, store, bound)
			sent := atOnce(50, func(i int) (Receipt, error) {
				return log.Append(within(t), record("room", "ann", fmt.Sprintf("%02d", i)))
			})
			for _, s := range sent() {
				if s.err != nil {
					t.Fatal(s.err)
				}
			}
			for _, batch := range store.batches() {
				if len(batch) > 3 || name == "one byte" && len(batch) > 1 {
					t.Fatalf("%s: %d messages in one insert", name, len(batch))
				}
			}
			wantLog(t, store, "room", 50)
		}
	})

	t.Run("a_room_that_collided_goes_last", func(t *testing.T) {
		store := &faulty{Store: newStore(t)}
		calls := 0
		pass, open := newGate(t)
		store.onAppend = func(ctx context.Context, r []Record) (int, error) {
			switch calls++; calls {
			case 1: // others come to wait meanwhile
				pass()
			case 2:
				return 0, ErrSeqTaken
			}
			return store.Store.Append(ctx, r)
		}
		log := startLog(t, store)
		first := atOnce(1, func(int) (Receipt, error) { return log.Append(within(t), record("a", "ann", "1")) })
		await(t, "the first insert", func() bool { return len(store.batches()[0]) == 1 })
		var rest []func() []outcome
		for n, room := range []string{"b", "c", "b", "d"} {
			rest = append(rest, atOnce(1, func(int) (Receipt, error) { return log.Append(within(t), record(room, "ann", fmt.Sprint(n))) }))
			await(t, "the next to wait", func() bool { return len(log.committers[0].queue) == n+1 })
		}
		open()
		for _, wait := range append(rest, first) {
			if s := wait()[0]; s.err != nil {
				t.Fatal(s.err)
			}
		}
		var order string
		for _, r := range store.batches()[2] {
			order += r.RoomID
		}
		if order != "cdbb" {
			t.Fatalf("after the collision of b the order is %s", order)
		}
	})

	t.Run("a_retry_gets_the_first_receipt", func(t *testing.T) {
		store := newStore(t)
		log := startLog(t, store)
		first := mustAppend(t, log, record("room", "ann", "c"))
		mustAppend(t, log, record("room", "ben", "c"))
		for name, l := range map[string]*testLog{"from memory": log, "from the store": startLog(t, store)} {
			again := mustAppend(t, l, record("room", "ann", "c"))
			if again.Seq != first.Seq || again.ID != first.ID || again.SentAt != first.SentAt || !again.Duplicate {
				t.Fatalf("%s: got %+v, want %+v", name, again, first)
			}
			await(t, "the head to be announced", func() bool { return l.out.head("room") == 2 })
			if n := len(l.out.messages("room")); l != log && n != 0 {
				t.Fatalf("%s: published %d messages", name, n)
			}
		}
		wantLog(t, store, "room", 2)
	})

	t.Run("a_client_id_with_other_content_is_refused", func(t *testing.T) {
		store := newStore(t)
		log := startLog(t, store)
		mustAppend(t, log, record("room", "ann", "c"))
		other := record("room", "ann", "c")
		other.Hash = hashOf(contract.MessageText, contract.Content{Text: "something else"})
		for name, l := range map[string]*testLog{"from memory": log, "from the store": startLog(t, store)} {
			if _, err := l.Append(within(t), other); !fault.Is(err, fault.AlreadyExists) {
				t.Fatalf("%s: %v", name, err)
			}
		}
		wantLog(t, store, "room", 1)
	})

	t.Run("the_same_send_100_times_at_once_on_two_replicas", func(t *testing.T) {
		file := newFile(t)
		stores := []Store{openFile(t, file), openFile(t, file)}
		logs := []*testLog{startLog(t, stores[0]), startLog(t, stores[1])}
		sent := atOnce(100, func(i int) (Receipt, error) {
			return logs[i%2].Append(within(t), record("room", "ann", "c"))
		})
		first := 0
		for _, s := range sent() {
			if s.err != nil || s.receipt.Seq != 1 {
				t.Fatalf("%+v, %v", s.receipt, s.err)
			}
			if !s.receipt.Duplicate {
				first++
			}
		}
		if first != 1 {
			t.Fatalf("%d sends were told to be the first", first)
		}
		wantLog(t, stores[0], "room", 1)
	})

	t.Run("second_writer_reloads", func(t *testing.T) {
		file := newFile(t)
		stores := []Store{openFile(t, file), openFile(t, file)}
		logs := []*testLog{startLog(t, stores[0]), startLog(t, stores[1])}
		const senders, each = 20, 10
		sent := atOnce(senders, func(i int) (r Receipt, err error) {
			for n := range each {
				if r, err = logs[i%2].Append(within(t), record("room", fmt.Sprint("w", i), fmt.Sprint(n))); err != nil {
					return r, err
				}
			}
			return r, nil
		})
		for _, s := range sent() {
			if s.err != nil {
				t.Fatal(s.err)
			}
		}
		next := make(map[string]int)
		for _, m := range wantLog(t, stores[0], "room", senders*each) {
			if m.ClientID != fmt.Sprint(next[m.SenderID]) {
				t.Fatalf("seq %d is %s of %s", m.Seq, m.ClientID, m.SenderID)
			}
			next[m.SenderID]++
		}
		for _, l := range logs {
			wantAscending(t, l.out.messages("room"))
		}
	})

	t.Run("a_room_out_of_memory_is_announced", func(t *testing.T) {
		log := startLog(t, newStore(t), func(o *LogOptions) { o.ActiveRooms, o.QuietAfter = 2, time.Hour })
		for _, room := range []string{"a", "a", "b", "c", "d"} {
			mustAppend(t, log, record(room, "ann", id.New()))
		}
		await(t, "the heads of those that were forgotten", func() bool { return log.out.head("a") == 2 && log.out.head("b") == 1 })
		if c, d := log.out.heads("c"), log.out.heads("d"); len(c)+len(d) != 0 {
			t.Fatalf("announced %v and %v, which are not quiet yet", c, d)
		}
	})

	t.Run("rooms_out_of_memory_are_read_again", func(t *testing.T) {
		store := newStore(t)
		log := startLog(t, store, func(o *LogOptions) { o.ActiveRooms, o.RecentSends = 2, 2 })
		for seq := int64(1); seq <= 3; seq++ {
			for room := range 10 {
				if got := mustAppend(t, log, record(fmt.Sprint("room-", room), "ann", fmt.Sprint(seq))); got.Seq != seq {
					t.Fatalf("room %d: %+v", room, got)
				}
			}
		}
		if again := mustAppend(t, log, record("room-0", "ann", "1")); again.Seq != 1 || !again.Duplicate {
			t.Fatalf("%+v", again)
		}
		log.stop()
		if n := len(log.committers[0].rooms.byID); n > 2 {
			t.Fatalf("%d rooms are in memory", n)
		}
	})
}
