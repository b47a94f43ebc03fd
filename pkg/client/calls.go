package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/id"
)

// SendOption changes one send.
type SendOption func(*contract.SendData)

// WithClientID sends under that client_id, 1 to 64 of [A-Za-z0-9_-], instead
// of a fresh one: a message sent under it before, by this user in this room,
// is the same message, also after a crash.
func WithClientID(clientID string) SendOption {
	return func(d *contract.SendData) { d.ClientID = clientID }
}

// Send stores a text in a room, once, and returns where it stands. It repeats
// the send until it is acknowledged, over any number of connections. The
// error is a *[fault.Error] when the message was refused for good (InvalidArgument,
// NotFound, FailedPrecondition, AlreadyExists: the client_id stands for
// another text), [ErrClosed], or wraps ctx's: then the message may be stored
// nevertheless, and only sending it again under its client_id tells.
func (c *Client) Send(ctx context.Context, roomID, text string, opts ...SendOption) (contract.SendReply, error) {
	d := contract.SendData{
		RoomID: roomID, ClientID: id.New(),
		Type: contract.MessageText, Content: contract.Content{Text: text},
	}
	for _, opt := range opts {
		opt(&d)
	}
	if err := c.pace.Wait(ctx); err != nil {
		return contract.SendReply{}, fmt.Errorf("%s: %w", contract.OpMessageSend, err)
	}
	return call[contract.SendReply](ctx, c, contract.OpMessageSend, d)
}

// History reads a page of a room's log: after AfterSeq oldest first, else
// newest first. Errors are as those of Send.
func (c *Client) History(ctx context.Context, d contract.GetData) (contract.HistoryReply, error) {
	return call[contract.HistoryReply](ctx, c, contract.OpMessagesGet, d)
}

// Remove replaces a message by a tombstone. Errors are as those of Send.
func (c *Client) Remove(ctx context.Context, roomID string, seq int64) error {
	_, err := call[contract.Empty](ctx, c, contract.OpMessageRemove, contract.SeqData{RoomID: roomID, Seq: seq})
	return err
}

// SetRead moves the user's read position forward; it never moves back. Errors
// are as those of Send.
func (c *Client) SetRead(ctx context.Context, roomID string, seq int64) error {
	_, err := call[contract.Empty](ctx, c, contract.OpReadSet, contract.SeqData{RoomID: roomID, Seq: seq})
	return err
}

// call carries out an op, again and again until the answer is final. All ops
// may be repeated.
func call[T any](ctx context.Context, c *Client, op contract.Op, data any) (T, error) {
	var reply T
	raw, err := c.persist(ctx, op, data)
	if err != nil {
		return reply, fmt.Errorf("%s: %w", op, err)
	}
	if err := json.Unmarshal(raw, &reply); err != nil {
		return reply, fmt.Errorf("decode reply of %s: %w", op, err)
	}
	return reply, nil
}

func (c *Client) persist(ctx context.Context, op contract.Op, data any) (json.RawMessage, error) {
	retry := backoff{most: c.o.MaxBackoff}
	for tries := int64(0); ; tries++ {
		raw, err := c.once(ctx, op, data, min(tries, 1))
		var refusal *fault.Error
		switch {
		case err == nil:
			return raw, nil
		case ctx.Err() != nil:
			return nil, gaveUp(ctx, err)
		case errors.Is(err, errLost):
			continue // the next connection
		case errors.As(err, &refusal) && (refusal.Code.Temporary() || refusal.Code == fault.Internal):
			if sleep(ctx, retry.next(refusal.RetryAfter)) != nil {
				return nil, gaveUp(ctx, err)
			}
		default:
			return nil, err
		}
	}
}

// once makes one try.
func (c *Client) once(ctx context.Context, op contract.Op, data any, retry int64) (json.RawMessage, error) {
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	current, err := c.live(ctx)
	if err != nil {
		return nil, err
	}
	c.stats.add(func(t *Stats) { t.Calls++; t.Retries += retry })
	return current.ask(ctx, op, data)
}

// gaveUp says that ctx ended, and what stood in the way.
func gaveUp(ctx context.Context, last error) error {
	if errors.Is(last, ctx.Err()) {
		return last
	}
	return fmt.Errorf("%w, after: %w", ctx.Err(), last)
}
