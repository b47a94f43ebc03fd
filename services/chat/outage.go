package chat

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/parley-im/parley/pkg/fault"
)

const (
	// awayAfter is for how long a store may fail, attempt after attempt, until
	// it counts as away: a hiccup is not worth telling, an outage is not worth
	// keeping senders waiting.
	awayAfter = time.Second
	// stalledAfter is how long one call may go without an answer until new
	// sends are no longer lined up behind it: longer than a busy disk pauses,
	// shorter than gateways wait.
	stalledAfter = 2 * time.Second
	// calmAfter is how long after the last failure a store counts as sound
	// although nothing has been inserted since: nobody may have sent anything.
	calmAfter = 5 * time.Second
	// maxBackOff is the longest pause between two attempts while the store
	// fails, and so about the longest that its return goes unnoticed.
	maxBackOff = time.Second
)

// errStoreAway is what sends get, and requests that need the store.
var errStoreAway = fault.New(fault.Unavailable, "messages can't be stored or read right now")

// storeAway is errStoreAway with a hint, spread so that those who were refused
// together do not come back together.
func storeAway(cause error) *fault.Error {
	return errStoreAway.After(maxBackOff + rand.N(maxBackOff)).Because(cause)
}

// outage is what a committer has seen of its store's failing. The committer
// tells it what becomes of its calls; everyone may ask.
//
// A store fails from the beginning of a call that fails until an insert
// succeeds; a read that succeeds proves little (the disk may be full). It is
// away once it has failed for awayAfter, unless one room may be why: then there
// is one that was in each call that failed, and no failure says that it is of the
// whole store (isWhole). An answered read lets sends in again, of which the first
// to fail ends that at once.
type outage struct {
	mu     sync.Mutex
	call   time.Time // beginning of the call under way; zero: none
	since  time.Time // beginning of the first call in the row that failed; zero: none has
	last   time.Time // the last failure
	cause  error     // of the last failure
	row    int       // failures in a row
	common []string  // rooms that were in each call of the row; none: it has not begun, or no room is why
	closed bool      // away: sends are refused
	told   bool      // the log knows that the store is away
}

// began notes that a call is made.
func (o *outage) began(now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.call = now
}

// failed notes that the call, which was for these rooms, did not say what became
// of it. It returns how long to wait before the next, whether the store is away,
// and whether that is news for the log.
func (o *outage) failed(now time.Time, cause error, rooms ...*room) (pause time.Duration, away, news bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.since.IsZero() || o.call.Sub(o.last) > calmAfter {
		o.since, o.row, o.told = o.call, 0, false
	}
	switch {
	case isWhole(cause):
		o.common = nil
	case o.row == 0:
		for _, r := range rooms {
			o.common = append(o.common, r.id)
		}
	default:
		o.common = slices.DeleteFunc(o.common, func(id string) bool {
			return !slices.ContainsFunc(rooms, func(r *room) bool { return r.id == id })
		})
	}
	o.call, o.last, o.cause = time.Time{}, now, cause
	o.row++
	o.closed = len(o.common) == 0 && now.Sub(o.since) >= awayAfter
	news = o.closed && !o.told
	o.told = o.told || news
	pause = min(5*time.Millisecond<<min(o.row, 10), maxBackOff)
	return pause/2 + rand.N(pause/2), o.closed, news
}

// ended notes that the call failed, and that this says nothing of the store.
func (o *outage) ended() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.call = time.Time{}
}

// answered notes that the call was a read that succeeded.
func (o *outage) answered() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.call, o.closed = time.Time{}, false
}

// inserted notes that the call was an insert of which the store said what
// became, and reports whether that is news for the log: the store was away.
func (o *outage) inserted() (news bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	news = o.told
	o.call, o.since, o.last = time.Time{}, time.Time{}, time.Time{}
	o.cause, o.row, o.common, o.closed, o.told = nil, 0, nil, false, false
	return news
}

// away reports whether sends are refused until the store answers.
func (o *outage) away() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.closed
}

// refusal is why a send should not wait for the store now, or nil.
func (o *outage) refusal(now time.Time) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.closed:
		return o.cause
	case o.stalled(now):
		return errStalled
	default:
		return nil
	}
}

// err is nil when the store takes messages, as far as can be told: as long as no
// insert succeeds, nobody knows that one room is why.
func (o *outage) err(now time.Time) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.stalled(now):
		return fmt.Errorf("%w for %s", errStalled, now.Sub(o.call).Round(time.Second))
	case o.closed, o.last.Sub(o.since) >= awayAfter && now.Sub(o.last) < calmAfter:
		return fmt.Errorf("the store has failed for %s: %w", now.Sub(o.since).Round(time.Second), o.cause)
	default:
		return nil
	}
}

var errStalled = errors.New("the store has not answered")

func (o *outage) stalled(now time.Time) bool {
	return !o.call.IsZero() && now.Sub(o.call) >= stalledAfter
}

// maxMargin is what an answer needs to reach a caller in time.
const maxMargin = 500 * time.Millisecond

// answerWithin is for how long, at most limit, something may be waited for so
// that its answer still reaches a caller who waits until ctx ends: a tenth is
// left for the way. Else the caller learns only that time ran out.
func answerWithin(ctx context.Context, limit time.Duration) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return limit
	}
	left := time.Until(deadline)
	return min(limit, left-min(left/10, maxMargin))
}
