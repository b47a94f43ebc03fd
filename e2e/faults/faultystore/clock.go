package faultystore

import (
	"sync/atomic"
	"time"

	"github.com/parley-im/parley/pkg/clock/clocktest"
)

// Clock is the machine's clock, moved on order. The zero value is right.
type Clock struct{ ahead atomic.Int64 }

// Now returns the time of the clock, as if the machine's had been set.
func (c *Clock) Now() time.Time {
	return clocktest.Set(time.Now(), time.Duration(c.ahead.Load()))
}

// Jump sets how far the clock is ahead of the machine's, in either direction.
func (c *Clock) Jump(ahead time.Duration) { c.ahead.Store(int64(ahead)) }
