package chat

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
)

// Two Logs write a few rooms of one file, while inserts fail, are stored
// without a word, are stored in part, or are stored long after. Whatever
// happens: what was acknowledged is in the log, once, where the receipt says;
// there are no holes; nobody's messages change their order; and each Log
// publishes a room in order.
func TestLog_chaos(t *testing.T) {
	seeds := 12
	if testing.Short() {
		seeds = 3
	}
	for seed := range seeds {
		t.Run(fmt.Sprint("seed_", seed), func(t *testing.T) {
			t.Parallel()
			newChaos(t, uint64(seed)).run()
		})
	}
}

// The same, while all the time one of the Logs or both are without their
// store, for long enough to notice it: it fails, stalls, or goes on storing
// without a word.
func TestLog_chaos_with_outages(t *testing.T) {
	seeds := 4
	if testing.Short() {
		seeds = 1
	}
	for seed := range seeds {
		t.Run(fmt.Sprint("seed_", seed), func(t *testing.T) {
			t.Parallel()
			c := newChaos(t, 1000+uint64(seed))
			ctx, stop := context.WithCancel(within(t))
			var outages sync.WaitGroup
			outages.Go(func() { c.outages(ctx) })
			c.between = 20 * time.Millisecond // so that it lasts for some outages
			c.run()
			stop()
			outages.Wait()
			if c.refused.Load() == 0 {
				t.Error("no send met an outage")
			}
		})
	}
}

const (
	chaosRooms   = 3
	chaosSenders = 16
	chaosSends   = 12
)

type chaos struct {
	t    *testing.T
	rng  *dice
	logs []*testLog
	file Store          // without faults
	late sync.WaitGroup // inserts that come later
	down [2]atomic.Bool // each Log's store

	between time.Duration // pause of a sender between two messages, at most
	refused atomic.Int64  // sends, because the store is away

	mu    sync.Mutex
	acked map[Key]Receipt
}

// dice is a random source for many goroutines.
type dice struct {
	mu  sync.Mutex
	rng *rand.Rand
}

func (d *dice) n(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rng.IntN(n)
}

func (d *dice) duration(limit time.Duration) time.Duration { return time.Duration(d.n(int(limit))) }

func newChaos(t *testing.T, seed uint64) *chaos {
	c := &chaos{t: t, rng: &dice{rng: rand.New(rand.NewPCG(seed, 1))}, acked: make(map[Key]Receipt)}
	path := newFile(t)
	c.file = openFile(t, path)
	for i := range c.down {
		down, store := &c.down[i], &faulty{Store: openFile(t, path)}
		store.onAppend = func(ctx context.Context, r []Record) (int, error) {
			if down.Load() {
				return c.insertInVain(ctx, store.Store, r)
			}
			return c.insert(ctx, store.Store, r)
		}
		store.onRead = func(ctx context.Context) error {
			switch n := c.rng.n(10); {
			case down.Load() && n < 2:
				<-ctx.Done()
				return ctx.Err()
			case down.Load(), n == 0:
				return errChaos
			default:
				return nil
			}
		}
		c.logs = append(c.logs, startLog(t, store, func(o *LogOptions) {
			o.Committers = 1 + int(seed%2)
			o.StoreTimeout = 200 * time.Millisecond
			o.ActiveRooms, o.RecentSends = 2, 4 // so that memory forgets
			o.BatchDocs = 7
		}))
	}
	return c
}

var errChaos = errors.New("chaos")

func (c *chaos) insert(ctx context.Context, s Store, r []Record) (int, error) {
	after := context.WithoutCancel(ctx)
	switch c.rng.n(12) {
	case 0:
		return 0, errChaos
	case 1: // stored, but nobody says so
		_, _ = s.Append(after, r)
		return 0, errChaos
	case 2: // stored in part
		_, _ = s.Append(after, r[:c.rng.n(len(r))])
		return 0, errChaos
	case 3: // stored later
		pause := c.rng.duration(30 * time.Millisecond)
		c.late.Go(func() {
			<-time.After(pause)
			_, _ = s.Append(after, r)
		})
		return 0, errChaos
	case 4: // cut off
		ctx, cancel := context.WithTimeout(ctx, c.rng.duration(time.Millisecond))
		defer cancel()
		return s.Append(ctx, r)
	default:
		return s.Append(ctx, r)
	}
}

// insertInVain is an insert of which nobody learns what became.
func (c *chaos) insertInVain(ctx context.Context, s Store, r []Record) (int, error) {
	after := context.WithoutCancel(ctx)
	switch c.rng.n(4) {
	case 0:
		_, _ = s.Append(after, r)
	case 1:
		pause := c.rng.duration(2 * time.Second)
		c.late.Go(func() {
			<-time.After(pause)
			_, _ = s.Append(after, r)
		})
	case 2:
		<-ctx.Done()
		return 0, ctx.Err()
	}
	return 0, errChaos
}

// outages take the stores away, one after the other, until ctx ends.
func (c *chaos) outages(ctx context.Context) {
	defer func() { c.down[0].Store(false); c.down[1].Store(false) }()
	for n := 0; ; n++ {
		c.down[n%2].Store(true)
		c.down[1-n%2].Store(n%3 == 0)
		select {
		case <-ctx.Done():
			return
		case <-time.After(awayAfter + c.rng.duration(awayAfter)):
		}
	}
}

func (c *chaos) run() {
	var senders sync.WaitGroup
	for i := range chaosSenders {
		senders.Go(func() { c.sender(fmt.Sprint("sender-", i)) })
	}
	senders.Wait()
	c.late.Wait()
	for _, l := range c.logs {
		l.stop()
	}
	c.check()
}

// sender sends one message after the other, each through either Log, and
// tries again until it is acknowledged; sometimes it tries twice at once.
func (c *chaos) sender(name string) {
	room := fmt.Sprint("room-", c.rng.n(chaosRooms))
	last := int64(0)
	for i := range chaosSends {
		if c.between > 0 {
			<-time.After(c.rng.duration(c.between))
		}
		got, ok := c.send(room, name, fmt.Sprint(i))
		if !ok {
			return
		}
		if c.rng.n(4) == 0 {
			if again, ok := c.send(room, name, fmt.Sprint(i)); ok && (again.Seq != got.Seq || again.ID != got.ID || !again.Duplicate) {
				c.t.Errorf("%s %d: first %+v, then %+v", name, i, got, again)
			}
		}
		if got.Seq <= last {
			c.t.Errorf("%s %d has seq %d, the one before %d", name, i, got.Seq, last)
		}
		last = got.Seq
		c.mu.Lock()
		c.acked[Key{RoomID: room, SenderID: name, ClientID: fmt.Sprint(i)}] = got
		c.mu.Unlock()
	}
}

func (c *chaos) send(room, sender, clientID string) (Receipt, bool) {
	deadline := time.Now().Add(30 * time.Second)
	for time.Now().Before(deadline) {
		limit := time.Second
		if c.rng.n(5) == 0 {
			limit = c.rng.duration(5 * time.Millisecond)
		}
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		got, err := c.logs[c.rng.n(2)].Append(ctx, record(room, sender, clientID))
		cancel()
		if err == nil {
			return got, true
		}
		if !fault.From(err).Code.Temporary() {
			c.t.Errorf("%s %s: %v", sender, clientID, err)
			return Receipt{}, false
		}
		if fault.Is(err, fault.Unavailable) {
			c.refused.Add(1)
			<-time.After(c.rng.duration(10 * time.Millisecond))
		}
	}
	c.t.Errorf("%s %s was not stored in time", sender, clientID)
	return Receipt{}, false
}

func (c *chaos) check() {
	c.t.Helper()
	for room := range chaosRooms {
		name := fmt.Sprint("room-", room)
		seen := make(map[Key]bool)
		for _, m := range wantLog(c.t, c.file, name, -1) {
			key := m.Key()
			if seen[key] {
				c.t.Errorf("%+v is there twice", key)
			}
			seen[key] = true
			got, ok := c.acked[key]
			if !ok || got.Seq != m.Seq || got.ID != m.ID || got.SentAt != m.SentAt {
				c.t.Errorf("seq %d is %s, its receipt %+v", m.Seq, m.ID, got)
			}
			delete(c.acked, key)
		}
		for _, l := range c.logs {
			wantAscending(c.t, l.out.messages(name))
			c.wantPublishedAsStored(l.out.messages(name))
		}
	}
	for key := range c.acked {
		c.t.Errorf("%+v was acknowledged and is lost", key)
	}
}

// wantPublishedAsStored fails when a message was published that is not the
// one at its seq.
func (c *chaos) wantPublishedAsStored(pushed []contract.Message) {
	for _, m := range pushed {
		found, err := c.file.Messages(within(c.t), []Place{{RoomID: m.RoomID, Seq: m.Seq}})
		if err != nil || found[m.RoomID].ID != m.ID {
			c.t.Errorf("seq %d was published as %s, but is %s: %v", m.Seq, m.ID, found[m.RoomID].ID, err)
		}
	}
}
