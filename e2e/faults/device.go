package faults

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/parley-im/parley/pkg/client"
	"github.com/parley-im/parley/pkg/contract"
)

// Device is one client of a user: it listens, and sends for its user. A
// restless one is closed again and again, and goes on with the same cursors.
type Device struct {
	Name   string
	User   *User
	tokens client.TokenSource
	urls   []string
	stay   time.Duration // the mean time that a restless one is connected; 0: always
	random *rand.Rand    // of its own goroutine

	cursors client.MemoryCursors
	ledger  *Ledger
	log     *slog.Logger

	mu      sync.Mutex
	client  *client.Client // nil while it is closed
	changed chan struct{}  // closed and replaced with client
	before  client.Stats   // of clients that were closed
}

// run listens until ctx ends. The error is that of a session that is over,
// or anything else that ends a client for good.
func (d *Device) run(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := d.once(ctx); err != nil {
			return fmt.Errorf("%s: %w", d.Name, err)
		}
	}
	return nil
}

// once connects, listens for a while, and closes.
func (d *Device) once(ctx context.Context) error {
	c, err := client.Dial(ctx, client.Options{
		Gateways: d.urls, Tokens: d.tokens, Cursors: &d.cursors, FromFirst: true,
		CallTimeout: 2 * silentCall, MaxBackoff: 2 * time.Second, Log: d.log,
	})
	if err != nil {
		return unlessOver(ctx, err)
	}
	d.use(c)
	staying, cancel := ctx, context.CancelFunc(func() {})
	if d.stay > 0 {
		staying, cancel = context.WithTimeout(ctx, between(d.random, d.stay/2, d.stay*3/2))
	}
	err = d.listen(staying, c)
	cancel()
	d.use(nil)
	err = errors.Join(err, c.Close())
	d.mu.Lock()
	d.before = sum(d.before, c.Stats())
	d.mu.Unlock()
	return err
}

// listen notes messages until ctx ends, and then those that have come: what
// was noted is what the cursors say was handled.
func (d *Device) listen(ctx context.Context, c *client.Client) error {
	for {
		event, err := c.Next(ctx)
		if err != nil {
			return unlessOver(ctx, err)
		}
		if m, ok := event.(*client.Message); ok {
			d.ledger.Receive(d.Name, d.User.ID, m.Message)
		}
	}
}

// unlessOver is the error, or nil once ctx has ended.
func unlessOver(ctx context.Context, err error) error {
	select {
	case <-ctx.Done():
		return nil
	default:
		return err
	}
}

// use puts a client in place; nil: there is none.
func (d *Device) use(c *client.Client) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.client = c
	close(d.changed)
	d.changed = make(chan struct{})
}

// live waits for the client.
func (d *Device) live(ctx context.Context) (*client.Client, error) {
	for {
		d.mu.Lock()
		c, changed := d.client, d.changed
		d.mu.Unlock()
		if c != nil {
			return c, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Send sends a text until it is acknowledged, over any number of clients, and
// notes it in the ledger. The error is that of a refusal; nil when ctx ended.
func (d *Device) Send(ctx context.Context, roomID, clientID, text string) (*contract.SendReply, error) {
	started := time.Now()
	s := d.ledger.Try(Sent{RoomID: roomID, SenderID: d.User.ID, ClientID: clientID, Text: text})
	var got *contract.SendReply
	defer func() { d.ledger.Ack(s, got, time.Since(started)) }()
	for {
		c, err := d.live(ctx)
		if err != nil {
			return nil, unlessOver(ctx, err)
		}
		reply, err := c.Send(ctx, roomID, text, client.WithClientID(clientID))
		if err == nil {
			got = &reply
			return got, nil
		}
		if !errors.Is(err, client.ErrClosed) {
			return nil, unlessOver(ctx, fmt.Errorf("%s: %w", d.Name, err))
		}
		if !sleep(ctx, 10*time.Millisecond) { // until the client is out of place
			return nil, nil
		}
	}
}

// Stats are those of all the device's clients together.
func (d *Device) Stats() client.Stats {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.client == nil {
		return d.before
	}
	return sum(d.before, d.client.Stats())
}

func sum(a, b client.Stats) client.Stats {
	return client.Stats{
		Connects: a.Connects + b.Connects, Lost: a.Lost + b.Lost,
		Messages: a.Messages + b.Messages, Doubled: a.Doubled + b.Doubled, Early: a.Early + b.Early,
		Repairs: a.Repairs + b.Repairs, Fetched: a.Fetched + b.Fetched,
		Calls: a.Calls + b.Calls, Retries: a.Retries + b.Retries,
		LongestOutage: max(a.LongestOutage, b.LongestOutage),
	}
}
