package gateway

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/parley-im/parley/pkg/clock"
)

// authTime is the time of auth, by which access tokens expire. The gateway's own
// clock may be wrong, or be set while the gateway runs: it would refuse every
// token, or accept tokens that expired long ago. authTime therefore continues the
// last reading of auth's time by the monotonic clock.
type authTime struct {
	own func() time.Time // the machine's clock

	mu   sync.Mutex
	base time.Time // auth's time as it was read last; zero: never
	at   time.Time // when it was read, by time.Now
}

func newAuthTime(own func() time.Time) *authTime { return &authTime{own: own} }

// Now returns auth's time, or the machine's before the first reading.
func (t *authTime) Now() time.Time {
	t.mu.Lock()
	base, at := t.base, t.at
	t.mu.Unlock()
	if base.IsZero() {
		return t.own()
	}
	return base.Add(time.Since(at))
}

// Set takes over a reading of auth's time that was asked for at asked, by
// time.Now. A time that auth does not trust counts only if this machine's clock
// agrees with it.
func (t *authTime) Set(now time.Time, trusted bool, asked time.Time) {
	if now.IsZero() || !trusted && t.own().Sub(now).Abs() > clock.MaxSkew {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.at = time.Now()
	t.base = now.Add(t.at.Sub(asked) / 2) // half of the way there and back
}

// Check is the check "clock": readiness does not depend on it, because tokens
// expire by auth's time.
func (t *authTime) Check(context.Context) error {
	if skew := t.own().Sub(t.Now()); skew.Abs() > clock.MaxSkew {
		return fmt.Errorf("this machine's clock and auth's differ by %s", skew.Abs().Round(time.Second))
	}
	return nil
}
