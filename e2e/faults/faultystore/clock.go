package faultystore

import (
	"sync/atomic"
	"time"
)

// Clock is the machine's clock, moved on order. The zero value is right.
type Clock struct{ ahead atomic.Int64 }

// Now returns the time of the clock.
func (c *Clock) Now() time.Time { return time.Now().Round(0).Add(time.Duration(c.ahead.Load())) }

// Jump sets how far the clock is ahead of the machine's, in either direction.
func (c *Clock) Jump(ahead time.Duration) { c.ahead.Store(int64(ahead)) }
