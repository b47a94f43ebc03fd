package rpc

import (
	"context"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-im/parley/pkg/fault"
)

// lookAfter is how often a call that waits looks whether the connection that
// it was sent on still stands. nats.go tells nobody who waits for an answer.
const lookAfter = 250 * time.Millisecond

// wait is one call's wait for an answer to any of its tries.
type wait struct {
	answers chan *nats.Msg
	replies []string      // the reply subjects of the tries
	epoch   uint64        // reconnects of the connection when the last try was sent
	silence time.Duration // after which a repeatable request is sent again
	unknown bool          // a try may have been run
}

func newWait() *wait {
	return &wait{answers: make(chan *nats.Msg, 4), silence: repeatAfter}
}

// answer waits for one. Without it the error is nats.ErrNoResponders, that of
// ctx, errUnanswered if the request is to be sent again, or errBroke.
func (c *Client) answer(ctx context.Context, r *route, w *wait) (*nats.Msg, error) {
	look := time.NewTimer(lookAfter)
	defer look.Stop()
	for silent := lookAfter; ; silent += lookAfter {
		select {
		case m := <-w.answers:
			if nobodyListens(m) {
				return nil, nats.ErrNoResponders
			}
			return m, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-look.C:
		}
		broke := !c.nc.IsConnected() || c.nc.Stats().Reconnects != w.epoch
		if r.repeatable && (broke || silent >= w.silence) && c.repeats.take() {
			w.unknown = true
			w.silence *= 2
			return nil, errUnanswered
		}
		if broke {
			return nil, errBroke
		}
		look.Reset(lookAfter)
	}
}

// worst is f, but never tells that the request was not run when an earlier try
// may have been.
func (w *wait) worst(f *fault.Error) *fault.Error {
	if w.unknown && f.Code == fault.Unavailable {
		return fault.New(fault.DeadlineExceeded, "the request took too long").Because(f)
	}
	return f
}
