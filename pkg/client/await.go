package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
)

// errStuck is a connection on which no reply came for Options.CallTimeout.
var errStuck = errors.New("the gateway does not answer")

// await waits for the reply to a frame that was sent. A gateway carries out
// the frames of a connection one after the other: the same frame, sent again,
// would wait behind the first, and in an outage they would pile up. So it
// waits for as long as others are answered; when nothing has been for the
// connection's patience, the connection is given up.
func (c *conn) await(ctx context.Context, wait <-chan frame) (json.RawMessage, error) {
	sent := time.Now()
	timer := time.NewTimer(c.patience)
	defer timer.Stop()
	for {
		select {
		case reply, ok := <-wait:
			switch {
			case !ok:
				return nil, fmt.Errorf("%w: %w", errLost, context.Cause(c.ctx))
			case reply.Op == contract.OpError && reply.Error != nil:
				return nil, reply.Error
			case reply.Op == contract.OpError:
				return nil, fault.New(fault.Internal, "an error without a code")
			}
			return reply.Data, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-timer.C:
			left := c.patience - min(time.Since(sent), time.Since(c.opened)-time.Duration(c.answered.Load()))
			if left <= 0 {
				err := fmt.Errorf("%w: %w", errLost, errStuck)
				c.end(err)
				return nil, err
			}
			timer.Reset(left)
		}
	}
}
