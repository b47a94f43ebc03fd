package chat

import (
	"context"
	"sync"
	"time"
)

// ownReads moves senders' read positions behind their messages, for a store
// that can't do so in the write of the message. No send waits for it. A position
// that was not written is made up for when it is read, as long as the user's
// message is the room's last; later than that, a process that dies in between
// costs a sender a few messages that they count as unread. Nothing else depends
// on it: exports and erasures find rooms by writers.
type ownReads struct {
	write func(context.Context, map[readKey]int64) error
	kick  chan struct{} // one long
	quit  chan struct{}
	done  chan struct{}

	mu      sync.Mutex
	waiting map[readKey]int64 // at most maxOwnReads
}

type readKey struct{ userID, roomID string }

// maxOwnReads bounds the positions that wait; beyond it they are left to the
// repair.
const maxOwnReads = 10_000

const (
	// ownReadsTimeout bounds one write.
	ownReadsTimeout = 5 * time.Second
	// ownReadsPause is between a write that failed and the next attempt.
	ownReadsPause = time.Second
)

func startOwnReads(write func(context.Context, map[readKey]int64) error) *ownReads {
	o := &ownReads{
		write:   write,
		kick:    make(chan struct{}, 1),
		quit:    make(chan struct{}),
		done:    make(chan struct{}),
		waiting: make(map[readKey]int64),
	}
	// Owned by the store, ended by stop; waiting is bounded by maxOwnReads.
	go o.run()
	return o
}

// sent notes a message; it never blocks.
func (o *ownReads) sent(userID, roomID string, seq int64) {
	o.wait(readKey{userID, roomID}, seq)
	select {
	case o.kick <- struct{}{}:
	default:
	}
}

func (o *ownReads) wait(key readKey, seq int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if old, ok := o.waiting[key]; ok || len(o.waiting) < maxOwnReads {
		o.waiting[key] = max(old, seq)
	}
}

// stop writes what waits, and ends.
func (o *ownReads) stop() {
	close(o.quit)
	<-o.done
}

func (o *ownReads) run() {
	defer close(o.done)
	var again <-chan time.Time // after a write that failed
	for {
		select {
		case <-o.kick:
			if again != nil {
				continue // what was kicked waits, too
			}
		case <-again:
		case <-o.quit:
			o.flush()
			return
		}
		again = nil
		if !o.flush() {
			again = time.After(ownReadsPause)
		}
	}
}

// flush writes all that waits at once: what comes meanwhile is the next one's.
// It is false if the write failed; then all of it waits again.
func (o *ownReads) flush() bool {
	o.mu.Lock()
	positions := o.waiting
	o.waiting = make(map[readKey]int64)
	o.mu.Unlock()
	if len(positions) == 0 {
		return true
	}
	ctx, cancel := context.WithTimeout(context.Background(), ownReadsTimeout)
	defer cancel()
	if err := o.write(ctx, positions); err != nil {
		for key, seq := range positions {
			o.wait(key, seq)
		}
		return false
	}
	return true
}
