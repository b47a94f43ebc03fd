package gateway

import (
	"errors"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-im/parley/pkg/contract"
)

func TestResync_announces_only_news(t *testing.T) {
	hh := newHousehold(t, 50, 20, time.Minute, quiet())
	hh.everyone(t)
	if n := hh.told(); n != 50*20 {
		t.Fatalf("%d heads at first", n)
	}
	hh.everyone(t)
	if n := hh.told(); n != 0 {
		t.Fatalf("%d heads that are no news", n)
	}
	for i := range 7 {
		hh.rooms["user-00003"][i].LastSeq = 9
	}
	hh.everyone(t)
	if n := hh.told(); n != 7 {
		t.Fatalf("%d heads of 7 that moved", n)
	}
	hh.hub.Reconnected() // pushes may have been lost
	hh.everyone(t)
	if n := hh.told(); n != 50*20 {
		t.Fatalf("%d heads after a reconnect", n)
	}
}

// A user with more rooms than there are on a page stays in all of them, and
// leaves the one that is on no page.
func TestResync_reads_all_pages(t *testing.T) {
	hh := newHousehold(t, 3, 20, time.Minute, quiet())
	hh.page = 7
	for userID, rooms := range hh.rooms {
		hh.rooms[userID] = slices.Delete(rooms, 11, 12)
	}
	hh.everyone(t)
	if n := hh.told(); n != 3*19 {
		t.Errorf("%d heads of 19 rooms each", n)
	}
	for userID, c := range hh.conns {
		if n := len(c.joined()); n != 19 {
			t.Errorf("%s is in %d rooms", userID, n)
		}
		if n := hh.readings(userID); n != 3 {
			t.Errorf("%d pages were read of %s", n, userID)
		}
	}
}

// A head that chat announced is no news a minute later.
func TestResync_knows_what_chat_announced(t *testing.T) {
	hh := newHousehold(t, 1, 1, time.Minute, quiet())
	payload, err := contract.RoomHeadPushed.Encode(contract.RoomHeadData{RoomID: "room-00000-000", LastSeq: 1})
	if err != nil {
		t.Fatal(err)
	}
	s := hh.hub.shard("room-00000-000")
	hh.hub.roomPush(s, &nats.Msg{Subject: "im.room.room-00000-000.room.head", Data: payload}, nil)
	if n := hh.told(); n != 1 {
		t.Fatalf("told %d times by chat", n)
	}
	hh.everyone(t)
	if n := hh.told(); n != 0 {
		t.Fatalf("told %d times again", n)
	}
}

// Whose push of a new room was lost hears of the room, though others here know
// its head.
func TestResync_introduces_a_room(t *testing.T) {
	hh := newHousehold(t, 2, 1, time.Minute, quiet())
	hh.everyone(t)
	hh.told()
	const room = "room-00000-000" // of the first
	hh.rooms["user-00001"] = append(hh.rooms["user-00001"], hh.rooms["user-00000"][0])
	hh.everyone(t)
	c := hh.conns["user-00001"]
	if !inRoom(c, room) {
		t.Fatal("not in the room")
	}
	if batch := drain(c); len(batch) != 1 {
		t.Fatalf("%d frames", len(batch))
	}
	if batch := drain(hh.conns["user-00000"]); len(batch) != 0 {
		t.Fatalf("%d frames for who knew", len(batch))
	}
	hh.everyone(t)
	if n := hh.told(); n != 0 {
		t.Fatalf("introduced again: %d frames", n)
	}
}

func TestResync_asks_do_not_wait_for_their_turn(t *testing.T) {
	hh := newHousehold(t, 20, 1, time.Hour, quiet())
	background(t, hh.Run)
	hh.hub.Reconnected()
	for userID := range hh.conns {
		eventually(t, "everyone is read, an hour early", func() bool { return hh.hub.users.readSince(userID, time.Now().Add(-time.Minute)) })
	}
}

func TestResync_reads_many_in_one_call(t *testing.T) {
	hh := newHousehold(t, resyncWorkers, 1, time.Hour, quiet())
	hh.gate = make(chan struct{})
	background(t, hh.Run)
	hh.hub.Reconnected()
	eventually(t, "everyone is asked for", func() bool { return hh.asked.Load() == resyncWorkers })
	if n := hh.groups.Load(); n > resyncWorkers/2 {
		t.Errorf("%d users are asked for in %d requests", resyncWorkers, n)
	}
	close(hh.gate)
	for userID := range hh.conns {
		eventually(t, userID+" is read", func() bool { return hh.hub.users.readSince(userID, time.Now().Add(-time.Minute)) })
	}
}

// Who was just asked for is left out of the turn.
func TestResync_asks_count_as_turns(t *testing.T) {
	hh := newHousehold(t, 20, 1, 100*time.Millisecond, quiet())
	for userID := range hh.conns {
		if userID != "user-00010" {
			hh.hub.users.noteRead(userID, time.Now().Add(time.Hour)) // for as long as the test may take
		}
	}
	hh.Ask("user-00003")
	for i, want := range []string{"user-00003", "user-00010", "user-00010", "user-00010"} {
		userID, ok := hh.next(t.Context())
		if userID != want || !ok {
			t.Fatalf("%d: %s, %v", i, userID, ok)
		}
		hh.asks.done(userID)
	}
}

func TestResync_turns(t *testing.T) {
	hh := newHousehold(t, 20, 1, 200*time.Millisecond, quiet())
	background(t, hh.Run)
	eventually(t, "everyone is read again and again", func() bool {
		for userID := range hh.conns {
			if hh.readings(userID) < 3 {
				return false
			}
		}
		return true
	})
	for userID, c := range hh.conns {
		hh.hub.detach(c)
		delete(hh.conns, userID)
	}
	eventually(t, "nobody is left", func() bool { return len(hh.hub.users.ids()) == 0 })
}

// While list_heads fails, chat is asked less and less, and the log has a line;
// once it works again, everyone is read.
func TestResync_failures(t *testing.T) {
	log := &lines{}
	hh := newHousehold(t, 100, 1, time.Hour, slog.New(slog.NewTextHandler(log, nil)))
	hh.mu.Lock()
	hh.broken = errors.New("the store is away")
	hh.mu.Unlock()
	background(t, hh.Run)
	hh.hub.Reconnected()
	eventually(t, "some have failed", func() bool { return hh.setbacks.failures() >= resyncWorkers })
	// With pauses of 50 ms and more, not all can have been asked for.
	if n := hh.asked.Load(); n == 100 {
		t.Fatalf("chat was asked %d times", n)
	}
	eventually(t, "the log has a line", func() bool { return log.count("read users' rooms again") == 1 })
	hh.mu.Lock()
	hh.broken = nil
	hh.mu.Unlock()
	for userID := range hh.conns {
		eventually(t, userID+" is read", func() bool { return hh.hub.users.readSince(userID, time.Now().Add(-time.Minute)) })
	}
	eventually(t, "nobody is owed anything", func() bool { return hh.setbacks.failures() == 0 })
	if n := log.count("\n"); n != 1 {
		t.Fatalf("%d lines", n)
	}
}

// lines is a log that can be searched.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), text)
}

// failures is how many users' last readings failed.
func (s *setbacks) failures() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.users)
}

// heap is what is in use after a collection.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse
}

// BenchmarkResync is a turn over 2,000 users of 50 rooms each, read by all
// workers at once as after a reconnect; without news, and with news of every
// room.
func BenchmarkResync(b *testing.B) {
	before := heap()
	hh := newHousehold(b, 2000, 50, time.Minute, quiet())
	const rooms = 2000 * 50
	perRoom := float64(heap()-before) / rooms // of the NATS server and of chat's answers, too
	hh.everyone(b)
	hh.told()
	b.Run("no_news", func(b *testing.B) {
		for b.Loop() {
			hh.everyone(b)
		}
		b.ReportMetric(perRoom, "B/room")
		b.ReportMetric(float64(hh.told())/float64(b.N), "frames/op")
	})
	b.Run("all_news", func(b *testing.B) {
		n := 0
		for b.Loop() {
			b.StopTimer()
			n += hh.told()
			for _, s := range hh.hub.rooms {
				s.doubt()
			}
			b.StartTimer()
			hh.everyone(b)
		}
		b.ReportMetric(float64(n+hh.told())/float64(b.N), "frames/op")
	})
	b.Run("reconnected", func(b *testing.B) { // what NATS' callback goroutine does
		for b.Loop() {
			hh.hub.Reconnected()
		}
	})
}
