// Package clock tells a service the time by which it stamps what it stores and
// destroys what is old.
//
// A machine's clock may be wrong. The replicas of a service therefore take the
// time of the store that they share: [Clock.Now] for stamps, and
// [Clock.Trusted] for work that cannot be undone. That work is refused while the
// machine's clock and the store's differ by more than [MaxSkew], because then
// nobody knows which of them is right.
//
// A store in a file has no clock but the machine's. There a jump is noticed by
// comparing the time of day with the monotonic clock.
package clock

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

const (
	// MaxSkew is how far two clocks may differ before work that cannot be undone
	// is refused. Stored times that are further ahead are not believed either:
	// see [Believable].
	MaxSkew = time.Minute
	// measureEvery is how often Run compares the clocks.
	measureEvery = 10 * time.Second
	// measureWait bounds one question to the store.
	measureWait = 5 * time.Second
	// settleAfter is how long the machine's clock must go on steadily after a
	// jump, until the new time is trusted: a machine that was suspended has a
	// right clock that jumped.
	settleAfter = time.Hour
)

// ErrSkewed says that the machine's clock cannot be trusted.
var ErrSkewed = errors.New("the machine's clock cannot be trusted")

// Source is a store that may have a clock of its own.
type Source interface {
	// Now returns the store's time. The zero time says that the store has no
	// clock but the machine's.
	Now(ctx context.Context) (time.Time, error)
}

// Clock is the time of one service. Its methods may be called at the same time.
type Clock struct {
	store Source
	own   func() time.Time
	// drift is how much further the time of day moved than the monotonic clock,
	// between two readings of own.
	drift func(from, to time.Time) time.Duration

	mu     sync.Mutex
	base   time.Time     // the store's time when it was measured last; zero: never, or it has none
	at     time.Time     // of that measurement, by time.Now
	steady time.Time     // reading of own that jumps are measured from
	jump   time.Duration // the last jump that was noticed; 0: none
	jumped time.Time     // when it was noticed first, by own
}

// New returns the clock of a service on a store; own is the machine's clock.
// Until the first measurement Now is the machine's time.
func New(store Source, own func() time.Time) *Clock {
	return &Clock{store: store, own: own, drift: monotonicDrift, steady: own()}
}

// monotonicDrift is 0 for readings that have no monotonic part, as those of a
// clock that a test sets.
func monotonicDrift(from, to time.Time) time.Duration {
	return to.Round(0).Sub(from.Round(0)) - to.Sub(from)
}

// Now returns the time for stamps: the store's, as it was measured last and has
// gone on since, or the machine's when the store has no clock of its own or was
// never measured. It asks nothing.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	base, at := c.base, c.at
	c.mu.Unlock()
	if base.IsZero() {
		return c.own()
	}
	return base.Add(time.Since(at))
}

// Stamp returns [Clock.Now], and whether that time is sure: it is the store's, or
// the machine's clock has not jumped within the last hour. A rule that destroys
// something after a while must not count from a time that was not sure.
func (c *Clock) Stamp() (now time.Time, sure bool) {
	now = c.Now()
	c.mu.Lock()
	measured := !c.base.IsZero()
	c.mu.Unlock()
	return now, measured || c.checkJump(c.own()) == nil
}

// Trusted asks for the store's time and returns it for work that cannot be
// undone. The error is [ErrSkewed] when the machine's clock differs by more than
// [MaxSkew], or has jumped within the last hour on a store without a clock;
// otherwise it is the store's.
func (c *Clock) Trusted(ctx context.Context) (time.Time, error) {
	asked := time.Now()
	now, err := c.store.Now(ctx)
	if err != nil {
		return time.Time{}, fmt.Errorf("ask the store for the time: %w", err)
	}
	own := c.own()
	if now.IsZero() {
		return own, c.checkJump(own)
	}
	now = now.Add(time.Since(asked) / 2) // half of the way there and back
	c.mu.Lock()
	c.base, c.at = now, time.Now()
	c.mu.Unlock()
	if skew := own.Sub(now); skew.Abs() > MaxSkew {
		return time.Time{}, fmt.Errorf("%w: it is %s the store's", ErrSkewed, direction(skew))
	}
	return now, nil
}

// checkJump is ErrSkewed while a jump has not settled.
func (c *Clock) checkJump(own time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	jump := c.drift(c.steady, own)
	if jump.Abs() <= MaxSkew {
		c.jump = 0
		return nil
	}
	if (jump - c.jump).Abs() > MaxSkew { // the first, or another
		c.jump, c.jumped = jump, own
	}
	if own.Sub(c.jumped) >= settleAfter {
		c.steady, c.jump = own, 0
		return nil
	}
	return fmt.Errorf("%w: it jumped, and is %s the time that has passed; it is trusted again after an hour", ErrSkewed, direction(jump))
}

func direction(d time.Duration) string {
	if d < 0 {
		return (-d).Round(time.Second).String() + " behind"
	}
	return d.Round(time.Second).String() + " ahead of"
}

// Check is a check for telemetry.Health.Watch: readiness must not depend on it,
// because sends and reads go on.
func (c *Clock) Check(ctx context.Context) error {
	_, err := c.Trusted(ctx)
	return err
}

// Run measures the store's time now and then until ctx ends, and logs when the
// machine's clock stops to be trusted and when it is trusted again.
func (c *Clock) Run(ctx context.Context, log *slog.Logger) error {
	tick := time.NewTicker(measureEvery)
	defer tick.Stop()
	skewed := false
	for {
		skewed = c.measure(ctx, log, skewed)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (c *Clock) measure(ctx context.Context, log *slog.Logger, before bool) (skewed bool) {
	ctx, cancel := context.WithTimeout(ctx, measureWait)
	defer cancel()
	_, err := c.Trusted(ctx)
	switch skewed = errors.Is(err, ErrSkewed); {
	case skewed && !before:
		log.WarnContext(ctx, "nothing old is removed until the clocks agree", "err", err)
	case err != nil:
		return before // the store does not answer: others say so
	case before:
		log.InfoContext(ctx, "the clocks agree again")
	}
	return skewed
}

// Believable reports whether a stored time can be true: it is not further ahead
// of now than clocks may differ. A time that is not believable was written by a
// clock that was wrong.
func Believable(stored, now time.Time) bool { return !stored.After(now.Add(MaxSkew)) }

// Jumps notices when a machine's clock is set while the process runs. It is for
// one goroutine.
type Jumps struct {
	own  func() time.Time
	last time.Time
}

// NewJumps begins to look at own, the machine's clock.
func NewJumps(own func() time.Time) *Jumps {
	return &Jumps{own: own, last: own()}
}

// Noticed reports whether the clock was set, by more than MaxSkew since the last
// jump that was noticed.
func (j *Jumps) Noticed() bool {
	now := j.own()
	if monotonicDrift(j.last, now).Abs() <= MaxSkew {
		return false
	}
	j.last = now
	return true
}
