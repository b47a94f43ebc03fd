package chat

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/parley-im/parley/pkg/contract"
)

// What group commit makes of concurrent senders; compare with
// BenchmarkStore_Append, whose batches are there from the start.
func BenchmarkLog_Append(b *testing.B) {
	for _, senders := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("%d_senders", senders), appendFrom(senders))
	}
}

// appendFrom has that many senders append at once, each as soon as its last is
// stored, to a log over a file.
func appendFrom(senders int) func(*testing.B) {
	return func(b *testing.B) {
		log := startLog(b, newStore(b), func(o *LogOptions) { o.RecentSends = 20_000 })
		log.Log.out = nowhere{}
		var sent atomic.Int64
		var wg sync.WaitGroup
		b.ReportAllocs()
		b.ResetTimer()
		for s := range senders {
			wg.Go(func() {
				for n := sent.Add(1); n <= int64(b.N); n = sent.Add(1) {
					r := record(fmt.Sprint("room-", s%64), fmt.Sprint("sender-", s), fmt.Sprint(n))
					if _, err := log.Append(context.Background(), r); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
	}
}

func BenchmarkStore_Append(b *testing.B) {
	for _, size := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("batches_of_%d", size), func(b *testing.B) {
			store := newStore(b)
			next := make(map[string]int64)
			b.ResetTimer()
			for n := 0; n < b.N; {
				var batch []Record
				for s := 0; s < size && n < b.N; s++ {
					r := record(fmt.Sprint("room-", s%64), fmt.Sprint("sender-", s), fmt.Sprint(n))
					next[r.RoomID]++
					r.Seq = next[r.RoomID]
					batch = append(batch, r)
					n++
				}
				if _, err := store.Append(context.Background(), batch); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
		})
	}
}

// A page costs the same wherever it lies, and however long the room is.
func BenchmarkStore_Page(b *testing.B) {
	for _, length := range []int64{100, 100_000} {
		store := newStore(b)
		fill(b, store, "room", length)
		for name, r := range map[string]Range{
			"newest": {From: 1, To: length, Newest: true},
			"oldest": {From: 1, To: length},
			"middle": {From: 1, To: length / 2, Newest: true},
		} {
			b.Run(fmt.Sprintf("%s_of_%d", name, length), func(b *testing.B) {
				r.RoomID, r.Limit, r.Bytes = "room", 50, 512<<10
				for b.Loop() {
					if page, err := store.Page(context.Background(), r); err != nil || len(page) != 50 {
						b.Fatal(len(page), err)
					}
				}
			})
		}
	}
}

// What list_heads costs a user with 5,000 rooms.
func BenchmarkStore_Heads(b *testing.B) {
	store := newStore(b)
	rooms := make([]string, 5_000)
	for i := range rooms {
		rooms[i] = fmt.Sprint("room-", i)
		fill(b, store, rooms[i], 2)
	}
	for b.Loop() {
		if heads, err := store.Heads(context.Background(), UserRooms{UserID: "ann", RoomIDs: rooms}); err != nil || len(heads[0]) != len(rooms) {
			b.Fatal(len(heads), err)
		}
	}
}

// A page of 50 to repair a gap, and the newest page, from memory and from the
// store.
func BenchmarkHistory_Read(b *testing.B) {
	store, full, empty := newStore(b), testMemory(), testMemory()
	fill(b, store, "room", 10_000)
	remember(full, stored(b, store, "room")[9_800:])
	after := int64(9_900)
	for name, req := range map[string]contract.HistoryRequest{
		"gap":    {RoomID: "room", AfterSeq: &after},
		"newest": {RoomID: "room"},
	} {
		for from, memory := range map[string]*Memory{"memory": full, "store": empty} {
			b.Run(name+"_from_"+from, func(b *testing.B) {
				history := testHistory(store, memory)
				for b.Loop() {
					if reply, err := history.Read(context.Background(), req, 1); err != nil || len(reply.Items) != 50 {
						b.Fatal(len(reply.Items), err)
					}
				}
			})
		}
	}
}
