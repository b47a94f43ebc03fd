package chat

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
)

func TestMemberships_Member(t *testing.T) {
	t.Run("asks_once_until_it_runs_out", func(t *testing.T) {
		d := newDirectory(t)
		d.put("room", "ann", 1)
		for range 3 {
			d.want("room", "ann", nil, "")
		}
		if d.asked() != 1 {
			t.Fatalf("asked %d times", d.asked())
		}
		d.clock = d.clock.Add(10 * time.Second)
		d.want("room", "ann", nil, "")
		if d.asked() != 2 {
			t.Fatalf("asked %d times", d.asked())
		}
	})

	t.Run("refusals_are_always_fresh", func(t *testing.T) {
		d := newDirectory(t)
		d.want("room", "ann", nil, fault.NotFound)
		d.put("room", "ann", 1)
		d.want("room", "ann", nil, "")
		d.want("room", "ann", maySend, "")
		d.change("room", "ann", 2, func(m *contract.Membership) { m.Closed = true })
		d.want("room", "ann", maySend, "") // nobody has told yet
		d.members.Changed("room", 2)
		d.want("room", "ann", maySend, fault.FailedPrecondition)
		d.want("room", "ann", nil, "")
		d.change("room", "ann", 3, func(m *contract.Membership) { m.Closed = false })
		d.want("room", "ann", maySend, "") // friends again, before anybody tells
	})

	t.Run("a_newer_revision_drops_the_room", func(t *testing.T) {
		d := newDirectory(t)
		for _, room := range []string{"a", "b"} {
			d.put(room, "ann", 5)
			d.want(room, "ann", nil, "")
		}
		d.remove("a", "ann")
		d.remove("b", "ann")
		d.members.Changed("a", 5) // older ones are ignored
		d.want("a", "ann", nil, "")
		d.members.Changed("a", 6)
		d.want("a", "ann", nil, fault.NotFound)
		d.want("b", "ann", nil, "")
		d.members.DropAll()
		d.want("b", "ann", nil, fault.NotFound)
	})

	t.Run("an_answer_that_a_change_overtook_lets_nobody_act", func(t *testing.T) {
		for name, overtake := range overtakes {
			t.Run(name, func(t *testing.T) {
				d := newDirectory(t)
				d.put("room", "ann", 1)
				d.during = func() {
					d.during = nil
					d.remove("room", "ann")
					overtake(d.members)
				}
				if d.want("room", "ann", nil, fault.NotFound); d.asked() != 2 {
					t.Errorf("asked %d times", d.asked())
				}
			})
		}
	})

	t.Run("a_question_under_way_is_not_for_who_asks_after_a_change", func(t *testing.T) {
		for name, overtake := range overtakes {
			t.Run(name, func(t *testing.T) {
				d := newDirectory(t)
				d.put("room", "ann", 1)
				entered := make(chan struct{})
				pass, open := newGate(t)
				d.during = func() { // after social has answered
					d.during = nil
					close(entered)
					pass()
				}
				var early sync.WaitGroup
				early.Go(func() { d.want("room", "ann", nil, fault.NotFound) })
				<-entered
				d.remove("room", "ann")
				overtake(d.members)
				d.want("room", "ann", nil, fault.NotFound) // while the first is on its way
				open()
				early.Wait()
			})
		}
	})

	t.Run("an_older_revision_that_was_asked_for_after_a_change_counts", func(t *testing.T) {
		d := newDirectory(t)
		d.put("room", "ann", 1)
		d.during = func() {
			d.during = nil
			d.members.Changed("room", 2)
		}
		if d.want("room", "ann", nil, ""); d.asked() != 2 {
			t.Errorf("asked %d times", d.asked())
		}
	})

	t.Run("a_refusal_on_its_way_is_not_for_who_comes_later", func(t *testing.T) {
		d := newDirectory(t)
		entered := make(chan struct{})
		pass, open := newGate(t)
		d.during = func() { // after social has answered
			d.during = nil
			close(entered)
			pass()
		}
		var early sync.WaitGroup
		early.Go(func() { d.want("room", "ann", nil, fault.NotFound) })
		<-entered
		d.put("room", "ann", 1)
		var late sync.WaitGroup
		late.Go(func() { d.want("room", "ann", nil, "") })
		open()
		early.Wait()
		late.Wait()
	})

	t.Run("who_asks_at_the_same_time_asks_together", func(t *testing.T) {
		d := newDirectory(t)
		d.put("room", "ann", 1)
		pass, open := newGate(t)
		d.during = func() { pass() }
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() { d.want("room", "ann", nil, "") })
		}
		await(t, "all to have come", func() bool { return d.members.ticks.Load() == 51 })
		open()
		wg.Wait()
		if n := d.asked(); n > 2 {
			t.Fatalf("asked %d times", n)
		}
	})

	t.Run("who_leaves_does_not_take_the_answer_from_others", func(t *testing.T) {
		d := newDirectory(t)
		d.put("room", "ann", 1)
		entered := make(chan struct{})
		pass, open := newGate(t)
		d.during = func() { close(entered); pass() }
		ctx, leave := context.WithCancel(context.Background())
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := d.members.Member(ctx, "room", "ann", nil); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
		<-entered
		leave()
		wg.Wait()
		open()
		await(t, "the answer to be kept", func() bool { return d.members.recall("room", "ann") != nil })
	})

	t.Run("social_that_does_not_answer_is_told", func(t *testing.T) {
		d := newDirectory(t)
		d.err = fault.New(fault.Unavailable, "nobody listens")
		d.want("room", "ann", nil, fault.Unavailable)
		d.err = nil
		d.put("room", "ann", 1)
		d.want("room", "ann", nil, "")
	})

	t.Run("what_is_kept_is_bounded", func(t *testing.T) {
		d := newDirectory(t)
		for i := range 100 {
			room := fmt.Sprint("room-", i)
			d.put(room, "ann", 1)
			d.want(room, "ann", nil, "")
		}
		if rooms, kept := len(d.members.rooms), d.members.order.Len(); rooms != 10 || kept != 10 {
			t.Fatalf("%d rooms, %d memberships", rooms, kept)
		}
		d.clock = d.clock.Add(time.Hour)
		d.want("room-0", "ann", nil, "")
		if rooms, kept := len(d.members.rooms), d.members.order.Len(); rooms != 1 || kept != 1 {
			t.Fatalf("%d rooms, %d memberships", rooms, kept)
		}
		d.members.Changed("room-0", 2)
		if len(d.members.rooms) != 0 {
			t.Fatal("a room of which nothing is kept stays")
		}
	})
}

// overtakes are the ways to hear of a change while a question is under way.
var overtakes = map[string]func(*Memberships){
	"a revision": func(m *Memberships) { m.Changed("room", 2) },
	"a drop":     func(m *Memberships) { m.DropAll() },
}

// directory stands in for social.
type directory struct {
	t       *testing.T
	members *Memberships
	clock   time.Time

	mu     sync.Mutex
	place  map[string]contract.Membership // by room/user
	err    error
	during func() // runs between the answer and its arrival
	n      int
}

func newDirectory(t *testing.T) *directory {
	d := &directory{t: t, clock: time.Now(), place: make(map[string]contract.Membership)}
	d.members = NewMemberships(d.ask, MembershipOptions{
		TTL: 10 * time.Second, Max: 10, Timeout: 5 * time.Second, Now: func() time.Time { return d.clock },
	})
	return d
}

func (d *directory) ask(_ context.Context, room, user string) (contract.MembershipReply, error) {
	d.mu.Lock()
	d.n++
	m, ok := d.place[room+"/"+user]
	reply, err, during := contract.MembershipReply{Member: ok, Membership: m}, d.err, d.during
	d.mu.Unlock()
	if during != nil {
		during()
	}
	return reply, err
}

func (d *directory) asked() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.n
}

func (d *directory) put(room, user string, rev int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.place[room+"/"+user] = contract.Membership{RoomID: room, FirstSeq: 1, Rev: rev}
}

func (d *directory) change(room, user string, rev int64, edit func(*contract.Membership)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	m := d.place[room+"/"+user]
	m.Rev = rev
	edit(&m)
	d.place[room+"/"+user] = m
}

func (d *directory) remove(room, user string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.place, room+"/"+user)
}

// want asks, and fails unless the answer is the refusal, or none.
func (d *directory) want(room, user string, allow func(contract.Membership) error, refusal fault.Code) {
	d.t.Helper()
	m, err := d.members.Member(within(d.t), room, user, allow)
	switch {
	case refusal == "" && (err != nil || m.RoomID != room):
		d.t.Errorf("%s in %s: %+v, %v", user, room, m, err)
	case refusal != "" && !fault.Is(err, refusal):
		d.t.Errorf("%s in %s: %v, want %s", user, room, err, refusal)
	}
}
