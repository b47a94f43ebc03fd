package main

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/parley-im/parley/pkg/id"
	"github.com/parley-im/parley/standalone/embedded"
)

const (
	// registering bounds registrations under way: each costs a password hash
	// of 20 MiB on the other side.
	registering = 8
	// calling bounds other calls under way.
	calling = 32
)

// town is the people of all scenarios that run against the same gateways:
// whom one has registered, the next finds.
type town struct {
	gateways []*api // in the order of the URLs
	urls     []string
	mail     *embedded.SMTP
	tell     func(format string, args ...any) // progress
	tag      string                           // in the names of this run's accounts

	people []*account

	mu      sync.Mutex
	friends map[[2]*account]string // direct rooms
}

func newTown(urls []string, mail *embedded.SMTP, tell func(string, ...any)) *town {
	t := &town{urls: urls, mail: mail, tell: tell, tag: strings.ToLower(id.New()[16:]), friends: map[[2]*account]string{}}
	for _, u := range urls {
		t.gateways = append(t.gateways, newAPI(u))
	}
	return t
}

// citizens are the first n people; those who are missing are registered.
// Person i calls and connects to gateway i, counted round.
func (t *town) citizens(ctx context.Context, n int) ([]*account, error) {
	have := len(t.people)
	if have >= n {
		return t.people[:n], nil
	}
	fresh := make([]*account, n-have)
	err := t.each(ctx, len(fresh), registering, "registered", func(ctx context.Context, i int) (err error) {
		name := fmt.Sprintf("load_%s_%d", t.tag, have+i)
		fresh[i], err = register(ctx, t.gateways[(have+i)%len(t.gateways)], t.mail, name)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("register: %w", err)
	}
	t.people = append(t.people, fresh...)
	return t.people, nil
}

// befriend returns the direct room of the two, making it once.
func (t *town) befriend(ctx context.Context, a, b *account) (string, error) {
	t.mu.Lock()
	known, ok := t.friends[[2]*account{a, b}]
	t.mu.Unlock()
	if ok {
		return known, nil
	}
	made, err := a.befriend(ctx, b)
	if err != nil {
		return "", fmt.Errorf("befriend: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.friends[[2]*account{a, b}], t.friends[[2]*account{b, a}] = made, made
	return made, nil
}

// groups makes a group of each list, whose first member owns it and is
// everyone's friend.
func (t *town) groups(ctx context.Context, lists [][]*account) ([]string, error) {
	type pair struct{ a, b *account }
	var pairs []pair
	for _, list := range lists {
		for _, other := range list[1:] {
			pairs = append(pairs, pair{list[0], other})
		}
	}
	err := t.each(ctx, len(pairs), calling, "friends", func(ctx context.Context, i int) error {
		_, err := t.befriend(ctx, pairs[i].a, pairs[i].b)
		return err
	})
	if err != nil {
		return nil, err
	}
	rooms := make([]string, len(lists))
	err = t.each(ctx, len(lists), calling, "groups", func(ctx context.Context, i int) (err error) {
		rooms[i], err = lists[i][0].group(ctx, "load-"+id.New(), lists[i][1:])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("make groups: %w", err)
	}
	return rooms, nil
}

// each calls f for 0 to n-1, a bounded number at once, and tells how far it
// is.
func (t *town) each(ctx context.Context, n, atOnce int, what string, f func(context.Context, int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i := range n {
		if ctx.Err() != nil {
			break
		}
		if i%50 == 0 || i == n-1 {
			t.tell("%s %d of %d", what, i+1, n)
		}
		group.Go(func() error { return f(ctx, i) })
	}
	return group.Wait()
}
