package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/parley-im/parley/pkg/client"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
)

// trial is one run: two people, each at a gateway of their own.
type trial struct {
	out      io.Writer
	begun    time.Time
	gateways []string // base URLs
	people   [2]account
}

// account is one of the two, and where it connects.
type account struct {
	name, password string
	gateway        string
	session        *client.Session
}

// pause is between two tries of what may not be there yet.
const pause = 500 * time.Millisecond

// say prints the line of a step that went well.
func (t *trial) say(step, format string, args ...any) {
	fmt.Fprintf(t.out, "ok %6.2fs  %-9s %s\n", time.Since(t.begun).Seconds(), step, fmt.Sprintf(format, args...))
}

// resolve takes every address of the host as a gateway, and waits for one.
func (t *trial) resolve(ctx context.Context, hostPort string) error {
	host, port, err := net.SplitHostPort(hostPort)
	if err != nil {
		return fmt.Errorf("read -resolve: %w", err)
	}
	var addresses []string
	err = persist(ctx, func() (err error) {
		addresses, err = net.DefaultResolver.LookupHost(ctx, host)
		return err
	})
	if err != nil {
		return fmt.Errorf("resolve %s: %w", host, err)
	}
	slices.Sort(addresses)
	for _, address := range slices.Compact(addresses) {
		t.gateways = append(t.gateways, "http://"+net.JoinHostPort(address, port))
	}
	return nil
}

// persist tries until it succeeds, is refused, or the time is up.
func persist(ctx context.Context, try func() error) error {
	for {
		err := try()
		if err == nil || refused(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}

// run connects both people and has a message go from the first to the second.
func (t *trial) run(ctx context.Context) error {
	if len(t.gateways) == 1 {
		t.say("gateways", "only one, %s: both connect to it", t.gateways[0])
	} else {
		t.say("gateways", "%s", strings.Join(t.gateways, " "))
	}
	for i := range t.people {
		t.people[i].gateway = t.gateways[i%len(t.gateways)]
		if err := t.people[i].login(ctx); err != nil {
			return err
		}
	}
	sender, receiver := &t.people[0], &t.people[1]
	t.say("accounts", "%s and %s", sender.name, receiver.name)
	room, err := sender.befriend(ctx, receiver.name)
	if err != nil {
		return err
	}
	t.say("friends", "their room is %s", room)
	from, err := sender.dial(ctx)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := receiver.dial(ctx)
	if err != nil {
		return err
	}
	defer to.Close()
	t.say("connected", "%s at %s, %s at %s", sender.name, sender.gateway, receiver.name, receiver.gateway)
	return t.exchange(ctx, from, to, room)
}

// exchange sends a message twice under one client_id, and another one behind
// it: the receiver must get the first once, then the second, and find the same
// in the room's history.
func (t *trial) exchange(ctx context.Context, from, to *client.Client, room string) error {
	first, last := "smoke-"+id.New(), "smoke-"+id.New()
	var replies []contract.SendReply
	for _, clientID := range []string{first, first, last} {
		reply, err := from.Send(ctx, room, "Does this arrive?", client.WithClientID(clientID))
		if err != nil {
			return fmt.Errorf("send: %w", err)
		}
		replies = append(replies, reply)
	}
	if replies[0].Seq != replies[1].Seq || !replies[1].Duplicate {
		return fmt.Errorf("sent again, message %d became %d", replies[0].Seq, replies[1].Seq)
	}
	t.say("sent", "message %d, twice, and %d behind it", replies[0].Seq, replies[2].Seq)
	want := []int64{replies[0].Seq, replies[2].Seq}
	got, err := receive(ctx, to, first, last)
	if err != nil {
		return fmt.Errorf("wait for the message: %w", err)
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("received messages %v, not %v", got, want)
	}
	t.say("received", "each once and in order")
	if got, err = history(ctx, to, room, want[0]-1, first, last); err != nil {
		return fmt.Errorf("read the history: %w", err)
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("the history has messages %v, not %v", got, want)
	}
	t.say("history", "has each once")
	return nil
}

// receive takes events until the last message, and returns the seqs of ours.
func receive(ctx context.Context, c *client.Client, first, last string) ([]int64, error) {
	var seqs []int64
	for {
		event, err := c.Next(ctx)
		if err != nil {
			return nil, err
		}
		m, ok := event.(*client.Message)
		if !ok || m.ClientID != first && m.ClientID != last {
			continue
		}
		seqs = append(seqs, m.Seq)
		if m.ClientID == last {
			return seqs, nil
		}
	}
}

// history returns the seqs of ours behind one.
func history(ctx context.Context, c *client.Client, room string, after int64, ours ...string) ([]int64, error) {
	var seqs []int64
	for {
		page, err := c.History(ctx, contract.GetData{RoomID: room, AfterSeq: &after})
		if err != nil {
			return nil, err
		}
		for _, m := range page.Items {
			after = m.Seq
			if slices.Contains(ours, m.ClientID) {
				seqs = append(seqs, m.Seq)
			}
		}
		if !page.HasMore {
			return seqs, nil
		}
		if len(page.Items) == 0 {
			return nil, errors.New("a page without items says that there is more")
		}
	}
}
