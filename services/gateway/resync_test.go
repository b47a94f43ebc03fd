package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/rpc"
)

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

func TestTurn(t *testing.T) {
	users := make([]string, 10_000)
	for i := range users {
		users[i] = fmt.Sprint(i)
	}
	now := time.Unix(0, 0)
	// pass lets time pass in small steps and counts who was due.
	pass := func(turn *turn, d time.Duration) map[string]int {
		due := map[string]int{}
		for end := now.Add(d); now.Before(end); now = now.Add(resyncTick) {
			for {
				userID, wait := turn.due(now)
				if userID == "" {
					if wait <= 0 {
						t.Fatalf("nobody is due, for %v", wait)
					}
					break
				}
				due[userID]++
			}
		}
		return due
	}
	t.Run("everyone once, evenly", func(t *testing.T) {
		turn := newTurn(time.Minute, func() []string { return slices.Clone(users) })
		all := map[string]int{}
		for second := range 120 {
			due := pass(turn, time.Second)
			if len(due) < 160 || len(due) > 170 {
				t.Fatalf("%d are due in second %d", len(due), second)
			}
			for userID, n := range due {
				all[userID] += n
			}
		}
		for _, userID := range users {
			if all[userID] != 2 {
				t.Fatalf("%s was due %d times in two turns", userID, all[userID])
			}
		}
	})
	t.Run("a stall is no wave", func(t *testing.T) {
		turn := newTurn(time.Minute, func() []string { return slices.Clone(users) })
		pass(turn, time.Second)
		now = now.Add(10 * time.Minute)
		if due := pass(turn, time.Second); len(due) > 340 {
			t.Fatalf("%d are due in a second", len(due))
		}
	})
	t.Run("nobody, then somebody", func(t *testing.T) {
		var here []string
		turn := newTurn(time.Minute, func() []string { return slices.Clone(here) })
		pass(turn, time.Minute)
		here = []string{"ann"}
		if due := pass(turn, 10*time.Minute); due["ann"] != 10 {
			t.Fatalf("due %v", due)
		}
	})
}

func TestSetbacks(t *testing.T) {
	now := time.Unix(0, 0)
	s := newSetbacks(func() time.Time { return now })
	again := func() {}
	if s.pause() != 0 {
		t.Fatal("a pause while all is well")
	}
	told, longest := 0, time.Duration(0)
	for began := now; now.Sub(began) < 10*time.Minute; { // an outage
		told += s.failed(fmt.Sprint(now.UnixNano()), again)
		pause := s.pause()
		if pause < firstPause/2 || pause > lastPause {
			t.Fatalf("a pause of %v", pause)
		}
		longest = max(longest, pause)
		now = now.Add(pause)
	}
	if longest < lastPause/2 {
		t.Fatalf("the pause grew to %v", longest)
	}
	if failures := len(s.users); failures > 700 {
		t.Fatalf("%d tries in ten minutes", failures)
	} else if told > failures || told < failures-100 {
		t.Fatalf("the log was told of %d of %d failures", told, failures)
	}
	s.succeeded("ann")
	if s.pause() != 0 {
		t.Fatal("a pause after a success")
	}
	lines := 0
	for range 1000 { // the log hears at most once a minute
		if now = now.Add(time.Second); s.failed("ann", again) > 0 {
			lines++
		}
		s.succeeded("bob")
	}
	if lines < 16 || lines > 17 {
		t.Fatalf("%d lines in 1000 seconds", lines)
	}
	for userID := range s.users {
		s.gone(userID)
	}
	if len(s.users) != 0 {
		t.Fatal("remembers who has gone")
	}
}

// household is a hub with users who have rooms of their own, and a chat that
// answers list_heads for them.
type household struct {
	*resyncer
	conns map[string]*conn // by user

	asked  atomic.Int64 // list_heads
	at     sync.Map     // calls by user
	mu     sync.Mutex
	rooms  map[string][]contract.RoomHeadRev
	broken error
}

func newHousehold(t testing.TB, users, rooms int, interval time.Duration, log *slog.Logger) *household {
	t.Helper()
	hub, nc := testHub(t)
	hh := &household{conns: map[string]*conn{}, rooms: map[string][]contract.RoomHeadRev{}}
	hh.resyncer = newResyncer(hub, rpc.NewClient(hub.nc, rpc.ClientOptions{}), interval, prometheus.NewRegistry(), log)
	hh.serve(t, nc)
	for i := range users {
		userID := fmt.Sprintf("user-%05d", i)
		c := attached(t, hub, userID)
		ids := make([]string, rooms)
		for j := range ids {
			ids[j] = fmt.Sprintf("room-%05d-%03d", i, j)
			hh.rooms[userID] = append(hh.rooms[userID], contract.RoomHeadRev{RoomHead: contract.RoomHead{ID: ids[j], LastSeq: 1}, Rev: 1})
		}
		join(t, hub, c, ids...)
		hh.conns[userID] = c
	}
	return hh
}

func (hh *household) serve(t testing.TB, nc *nats.Conn) {
	s := rpc.NewServer(nc, rpc.ServerOptions{Service: contract.Chat})
	rpc.Handle(s, contract.ListHeads, func(_ context.Context, req contract.ListHeadsRequest) (contract.ListHeadsReply, error) {
		hh.asked.Add(1)
		n, _ := hh.at.LoadOrStore(req.Caller.UserID, new(atomic.Int64))
		n.(*atomic.Int64).Add(1)
		hh.mu.Lock()
		defer hh.mu.Unlock()
		return contract.ListHeadsReply{Rooms: hh.rooms[req.Caller.UserID]}, hh.broken
	})
	background(t, s.Run)
}

// readings is how often the user's rooms were asked for.
func (hh *household) readings(userID string) int64 {
	n, ok := hh.at.Load(userID)
	if !ok {
		return 0
	}
	return n.(*atomic.Int64).Load()
}

// told takes what waits for all connections, and counts it.
func (hh *household) told() int {
	n := 0
	for _, c := range hh.conns {
		batch, _ := c.queue.take(nil)
		n += len(batch)
		for _, o := range batch {
			c.queue.done(o.size)
		}
	}
	return n
}

// everyone reads all users' rooms once, by the workers of a turn without its
// pace.
func (hh *household) everyone(t testing.TB) {
	t.Helper()
	var wg sync.WaitGroup
	users := make(chan string)
	for range resyncWorkers {
		wg.Go(func() {
			for userID := range users {
				if err := hh.one(t.Context(), userID, hh.hub.users.conns(userID)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for userID := range hh.conns {
		users <- userID
	}
	close(users)
	wg.Wait()
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

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

func TestResync_asks_do_not_wait_for_their_turn(t *testing.T) {
	hh := newHousehold(t, 20, 1, time.Hour, quiet())
	background(t, hh.Run)
	hh.hub.Reconnected()
	for userID := range hh.conns {
		eventually(t, "everyone is read, an hour early", func() bool { return hh.hub.users.readSince(userID, time.Now().Add(-time.Minute)) })
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
		userID, isAsk, ok := hh.next(t.Context())
		if userID != want || isAsk != (i == 0) || !ok {
			t.Fatalf("%d: %s, asked: %v, %v", i, userID, isAsk, ok)
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

// BenchmarkResync is a turn over 2,000 users of 50 rooms each, read by 8
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
			hh.hub.Reconnected()
			for userID := range hh.conns {
				for _, ok := hh.asks.take(); ok; _, ok = hh.asks.take() {
				}
				hh.asks.done(userID)
			}
			b.StartTimer()
			hh.everyone(b)
		}
		b.ReportMetric(float64(n+hh.told())/float64(b.N), "frames/op")
	})
	b.Run("doubt", func(b *testing.B) {
		for b.Loop() {
			for _, s := range hh.hub.rooms {
				s.doubt()
			}
		}
	})
}
