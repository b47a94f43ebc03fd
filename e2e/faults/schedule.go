package faults

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// Kind is a kind of fault.
type Kind string

// The kinds of faults.
const (
	Kill     Kind = "kill"      // a process dies at once, and is started again
	Pause    Kind = "pause"     // a process stands still, its sockets open
	Refuse   Kind = "partition" // connections are cut, new ones refused
	Silence  Kind = "silence"   // connections stand, nothing passes
	Deafen   Kind = "one-way"   // requests arrive, answers do not
	HalfOpen Kind = "half-open" // nothing passes, and no side hears that the other has gone
	Slow     Kind = "latency"   // everything takes longer

	StoreLost  Kind = "store: answer lost" // inserts are stored, their answers time out
	StoreFail  Kind = "store: refused"     // inserts fail at once, and are not stored
	StoreStall Kind = "store: stalled"     // inserts time out, and are stored later

	StoreReadOnly Kind = "store: read-only" // inserts are refused as by a store that can only be read

	DiskFull  Kind = "disk full"  // every write that makes a file longer than a page fails
	ClockJump Kind = "clock jump" // the clock of a service or gateway is wrong by up to a day, either way

	Command Kind = "database restart" // a command of the run's, such as one that restarts MongoDB
)

// Fault is one fault of a schedule.
type Fault struct {
	At     time.Duration // since the start of the run
	For    time.Duration // until it ends, the starting of a killed process apart
	Kind   Kind
	Target string        // a process, or a proxy "from>to"
	Delay  time.Duration // of Slow, each way; of StoreStall; of ClockJump, how far it is ahead
	Count  int           // inserts, of the store's faults
}

// String tells the fault in a line.
func (f Fault) String() string {
	s := fmt.Sprintf("%7.2fs %s %s", f.At.Seconds(), f.Kind, f.Target)
	if f.Count > 0 {
		s += fmt.Sprintf(", %d inserts", f.Count)
	}
	if f.For > 0 {
		s += fmt.Sprintf(", for %.1fs", f.For.Seconds())
	}
	if f.Delay != 0 {
		s += fmt.Sprintf(", by %.2fs", f.Delay.Seconds())
	}
	return s
}

// Card is a kind of fault with those whom it may strike, all of one sort.
type Card struct {
	Kind    Kind
	Targets []string
}

// Schedule lays out faults for the time given. It follows from its arguments
// alone. Cards come in random order, each once before any comes again, and
// strike one of their targets; a target has one fault at a time, different
// ones may have theirs together. Pace is the mean time from one fault to the
// next. All faults end within the time.
func Schedule(seed uint64, deck []Card, pace, length time.Duration) []Fault {
	random := rand.New(rand.NewPCG(seed, 1))
	free := map[string]time.Duration{} // when a target may be struck again
	var faults []Fault
	var hand []Card
	for at := between(random, 0, 2*pace); ; at += between(random, 0, 2*pace) {
		if len(hand) == 0 {
			hand = slices.Clone(deck)
			random.Shuffle(len(hand), func(i, j int) { hand[i], hand[j] = hand[j], hand[i] })
		}
		f, rest := draw(random, hand, func(target string) bool { return free[target] <= at })
		if f.Target == "" {
			continue // all are struck: time passes
		}
		hand = rest
		f.At = at
		f.fill(random)
		if f.At+f.For > length {
			break
		}
		free[f.Target] = f.At + f.For + recovery
		faults = append(faults, f)
	}
	slices.SortStableFunc(faults, func(a, b Fault) int { return cmp.Compare(a.At, b.At) })
	return faults
}

// recovery is how long a target is left alone after its fault: a process must
// start, under the race detector too, and connections come back.
const recovery = 6 * time.Second

// draw takes the first card that can strike a free target.
func draw(random *rand.Rand, hand []Card, free func(string) bool) (Fault, []Card) {
	for i, card := range hand {
		for _, j := range random.Perm(len(card.Targets)) {
			if target := card.Targets[j]; free(target) {
				return Fault{Kind: card.Kind, Target: target}, slices.Delete(hand, i, i+1)
			}
		}
	}
	return Fault{}, hand
}

// fill says how long and how much. Pauses and silences are longer than the
// timeouts of calls, which the run sets to two seconds, and some of them
// longer than two heartbeats.
func (f *Fault) fill(random *rand.Rand) {
	switch f.Kind {
	case Kill:
		f.For = between(random, 0, 3*time.Second)
	case Pause, Silence, Deafen, HalfOpen:
		f.For = between(random, 2*time.Second, 7*time.Second)
	case Refuse:
		f.For = between(random, 200*time.Millisecond, 5*time.Second)
	case Slow:
		f.For = between(random, 3*time.Second, 10*time.Second)
		f.Delay = between(random, 50*time.Millisecond, 500*time.Millisecond)
	case StoreLost:
		f.Count = 1 + random.IntN(3)
	case StoreFail, StoreReadOnly:
		f.Count = 1 + random.IntN(6)
	case DiskFull:
		f.For = between(random, time.Second, 4*time.Second)
	case ClockJump:
		f.For = between(random, 3*time.Second, 10*time.Second)
		f.Delay = between(random, -24*time.Hour, 24*time.Hour)
	case StoreStall:
		f.Count = 1 + random.IntN(2)
		f.Delay = between(random, time.Second, 5*time.Second)
	case Command:
	}
}

func between(random *rand.Rand, least, most time.Duration) time.Duration {
	return (least + time.Duration(random.Int64N(int64(most-least)))).Truncate(time.Millisecond)
}
