package chat

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/probe"
)

// errBroken is of the whole store, as stores tell it.
var errBroken error = fault.New(fault.Unavailable, "connection lost")

// errDamaged may be of one room.
var errDamaged error = probe.Damaged("chat.db", errors.New("database disk image is malformed"))

// clockwork steps an outage through a story; the numbers are milliseconds.
type clockwork struct {
	t     *testing.T
	o     outage
	start time.Time
}

func newClockwork(t *testing.T) *clockwork { return &clockwork{t: t, start: time.Now()} }

func (c *clockwork) at(ms int) time.Time { return c.start.Add(time.Duration(ms) * time.Millisecond) }

// fail is a call from one time to another.
func (c *clockwork) fail(from, to int) (away, news bool) {
	c.o.began(c.at(from))
	_, away, news = c.o.failed(c.at(to), errBroken)
	return away, news
}

// want fails unless sends are refused, and the store counts as unsound, or not.
func (c *clockwork) want(ms int, refused, unsound bool) {
	c.t.Helper()
	if got := c.o.refusal(c.at(ms)) != nil; got != refused {
		c.t.Fatalf("at %d: refused %v, want %v", ms, got, refused)
	}
	if err := c.o.err(c.at(ms)); (err != nil) != unsound {
		c.t.Fatalf("at %d: %v, want an error: %v", ms, err, unsound)
	}
}

func TestOutage(t *testing.T) {
	t.Run("a_hiccup_is_not_told", func(t *testing.T) {
		c := newClockwork(t)
		c.want(0, false, false)
		if away, _ := c.fail(0, 10); away {
			t.Fatal("away after one failure")
		}
		c.fail(20, 900)
		c.want(950, false, false)
		c.o.began(c.at(990))
		if c.o.inserted() {
			t.Fatal("back, but it was never away")
		}
		c.fail(1500, 1600) // another row
		c.want(1600, false, false)
	})

	t.Run("a_row_of_failures_is", func(t *testing.T) {
		c := newClockwork(t)
		c.fail(0, 10)
		if away, news := c.fail(900, 1000); !away || !news {
			t.Fatal(away, news)
		}
		if away, news := c.fail(1500, 1600); !away || news {
			t.Fatal(away, news)
		}
		c.want(60_000, true, true) // until it answers
		c.o.began(c.at(60_000))
		if !c.o.inserted() {
			t.Fatal("its return is no news")
		}
		c.want(60_001, false, false)
	})

	t.Run("a_room_that_is_in_each_failure_is_not", func(t *testing.T) {
		c := newClockwork(t)
		fail := func(from, to int, cause error, rooms ...string) (away bool) {
			var in []*room
			for _, id := range rooms {
				in = append(in, &room{id: id})
			}
			c.o.began(c.at(from))
			_, away, _ = c.o.failed(c.at(to), cause, in...)
			return away
		}
		for n, rooms := range [][]string{{"a", "b", "c"}, {"b", "c"}, {"b"}, {"b"}} {
			if fail(1000*n, 1000*n+10, errDamaged, rooms...) {
				t.Fatalf("away after failure %d", n)
			}
		}
		c.want(3020, false, true) // nothing shows that others work
		if !fail(4000, 4010, errDamaged, "d") {
			t.Fatal("not away, though no room explains all failures")
		}
		c.o.inserted()
		fail(5000, 5010, errDamaged, "b")
		if !fail(6000, 6010, errBroken, "b") {
			t.Fatal("not away, though the store says so")
		}
	})

	t.Run("one_call_that_takes_long_is_too", func(t *testing.T) {
		c := newClockwork(t)
		c.o.began(c.at(0))
		c.want(1999, false, false)
		c.want(2000, true, true)
		c.o.inserted()
		c.want(2100, false, false)
		c.o.began(c.at(3000))
		if away, _ := c.fail(3000, 8000); !away {
			t.Fatal("not away after a call of 5 s that failed")
		}
	})

	t.Run("a_read_that_succeeds_is_a_trial", func(t *testing.T) {
		c := newClockwork(t)
		c.fail(0, 1000)
		c.o.began(c.at(1100))
		c.o.answered()
		c.want(1200, false, true) // reads work, inserts may not
		if away, news := c.fail(1300, 1310); !away || news {
			t.Fatal(away, news)
		}
		c.o.began(c.at(1400))
		c.o.answered()
		c.want(6400, false, false) // nobody has sent anything, and nothing has failed
		if away, _ := c.fail(10_000, 10_010); away {
			t.Fatal("a hiccup counts from a failure long ago")
		}
	})

	t.Run("pauses_grow_up_to_a_bound", func(t *testing.T) {
		c := newClockwork(t)
		for n := range 50 {
			c.o.began(c.at(n))
			pause, _, _ := c.o.failed(c.at(n), errBroken)
			if limit := min(5*time.Millisecond<<min(n+1, 20), maxBackOff); pause < limit/2 || pause > limit {
				t.Fatalf("after %d failures the pause is %s", n+1, pause)
			}
		}
	})
}

func TestAnswerWithin(t *testing.T) {
	if got := answerWithin(context.Background(), time.Minute); got != time.Minute {
		t.Fatal(got)
	}
	for left, want := range map[time.Duration]time.Duration{
		time.Second:      900 * time.Millisecond,
		5 * time.Second:  4500 * time.Millisecond,
		30 * time.Second: 10 * time.Second, // the limit
	} {
		ctx, cancel := context.WithTimeout(context.Background(), left)
		got := answerWithin(ctx, 10*time.Second)
		cancel()
		if got > want || got < want/2 { // some of it has passed
			t.Errorf("of %s: %s, want %s", left, got, want)
		}
	}
}
