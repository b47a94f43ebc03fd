package rpc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
	"go.opentelemetry.io/otel/codes"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/payload"
	"github.com/parley-im/parley/pkg/telemetry"
)

// How long a call waits before it sends again what was surely not run: each
// wait is twice the one before, and of each a random half to whole, so that
// callers who failed together do not come back together.
const (
	firstBackoff = 25 * time.Millisecond
	lastBackoff  = 500 * time.Millisecond
)

// request is a message with its header and body, reused by later calls: NATS
// copies it when it is published.
type request struct {
	msg     nats.Msg
	timeout [1]string
	id      [1]string // of the client's request that this one serves
	body    bytes.Buffer
}

func (c *Client) getRequest() *request {
	if r, ok := c.pool.Get().(*request); ok {
		return r
	}
	return &request{msg: nats.Msg{Header: nats.Header{}}}
}

func (c *Client) putRequest(r *request) {
	clear(r.msg.Header)
	recycle(&r.body)
	r.msg.Subject, r.msg.Reply, r.msg.Data = "", "", nil
	c.pool.Put(r)
}

// call is Call without its types: in and out are pointers.
func (c *Client) call(ctx context.Context, r *route, subject string, in, out any) (f *fault.Error) {
	began := time.Now()
	c.metrics.inFlight.Inc()
	ctx, span := c.tracer.Start(ctx, r.label, r.span...)
	defer func() {
		c.metrics.inFlight.Dec()
		r.metrics.ended(f, time.Since(began), span.SpanContext())
		if f != nil {
			span.SetStatus(codes.Error, string(f.Code))
		}
		span.End()
	}()
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.timeout)
		defer cancel()
	}
	req := c.getRequest()
	defer c.putRequest(req)
	if err := encode(&req.body, in); err != nil {
		return fault.From(fmt.Errorf("encode request of %s: %w", r.label, err))
	}
	req.msg.Subject, req.msg.Data = subject, req.body.Bytes()
	telemetry.Inject(ctx, req.msg.Header)
	if req.id[0] = telemetry.RequestID(ctx); req.id[0] != "" {
		req.msg.Header[contract.HeaderRequestID] = req.id[:]
	}

	if r.grouped > 0 && !span.SpanContext().IsSampled() { // whoever is traced travels alone, to be seen
		flight, ride := c.groups.board(ctx, c, r, subject, req.body.Bytes())
		if ride == nil {
			defer flight.land()
		} else if alone, f := c.groups.await(ctx, r, ride, out); !alone {
			return f
		}
	}
	reply, f := c.send(ctx, r, req)
	if f != nil {
		return f
	}
	if reply.Header != nil && reply.Header.Get(micro.ErrorCodeHeader) != "" {
		return remoteFault(r.label, reply)
	}
	return decodeReply(r, reply.Data, out)
}

func decodeReply(r *route, data []byte, out any) *fault.Error {
	if raw, ok := out.(*json.RawMessage); ok { // of CallRaw
		*raw = data
		return nil
	}
	if err := payload.Decode(data, out); err != nil {
		return fault.From(fmt.Errorf("decode reply of %s: %w", r.label, err))
	}
	return nil
}

// send returns the service's reply, a fault or not. It tries again, until it
// would outlast ctx, what was surely not run, and what may be run twice.
func (c *Client) send(ctx context.Context, r *route, req *request) (*nats.Msg, *fault.Error) {
	w := newWait()
	defer func() { c.inbox.forget(w.replies) }()
	backoff := firstBackoff
	for {
		err := c.post(ctx, r, req, w)
		if err == nil {
			var reply *nats.Msg
			if reply, err = c.answer(ctx, r, w); err == nil {
				c.repeats.answered()
				c.departed.note(reply)
				return reply, nil
			}
		}
		again, f := judge(err)
		if !again {
			return nil, w.worst(f)
		}
		c.metrics.retries.Inc()
		pinned := req.msg.Subject != r.subject
		if errors.Is(err, errUnanswered) || pinned && errors.Is(err, nats.ErrNoResponders) {
			req.msg.Subject = r.subject // that replica may be gone; any other will do
			continue
		}
		if !sleep(ctx, backoff/2+rand.N(backoff/2)) {
			if errors.Is(ctx.Err(), context.Canceled) {
				return nil, fault.From(ctx.Err())
			}
			return nil, w.worst(f)
		}
		backoff = min(2*backoff, lastBackoff)
	}
}

// post sends the request once, to be answered at a reply subject of its own: so
// the answer to an earlier try is told from this one's.
func (c *Client) post(ctx context.Context, r *route, req *request, w *wait) error {
	switch {
	case c.nc.IsClosed():
		return errClosed
	case !c.nc.IsConnected():
		return nats.ErrConnectionReconnecting
	case int64(len(req.msg.Data)) > c.nc.MaxPayload():
		return nats.ErrMaxPayload
	}
	deadline, _ := ctx.Deadline()
	left := time.Until(deadline)
	if left <= 0 {
		return context.DeadlineExceeded
	}
	req.timeout[0] = strconv.FormatInt(max(left.Milliseconds(), 1), 10)
	req.msg.Header[contract.HeaderTimeout] = req.timeout[:]
	reply, err := c.inbox.expect(r.service, w.answers)
	if err != nil {
		return err
	}
	w.replies = append(w.replies, reply)
	w.epoch = c.nc.Stats().Reconnects
	req.msg.Reply = reply
	return c.nc.PublishMsg(&req.msg)
}

// sleep waits for d; false means that ctx would not outlast it, or by too
// little for another try: one that ends with ctx leaves its outcome unknown.
func sleep(ctx context.Context, d time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= d+firstBackoff {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
