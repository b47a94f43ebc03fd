package faults

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/parley-im/parley/e2e/person"
	"github.com/parley-im/parley/pkg/client"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/id"
)

// User is one of a run's people.
type User struct {
	ID      string
	Name    string
	Account string
	session *client.Session
	rooms   []*Venue // in which they are from the beginning
}

// Venue is a planned room.
type Venue struct {
	Plan
	ID string
}

// Cast is the people of a run and their rooms.
type Cast struct {
	World  *World
	Users  []*User // the last churners of them are in no venue
	Venues []*Venue
}

// atOnce is how many calls set a cast up at the same time: no more than auth
// checks passwords for, since a call of a run has two seconds.
const atOnce = 2

// NewCast registers people and makes the planned rooms, before any fault.
func NewCast(t testing.TB, w *World, people int, plans []Plan) *Cast {
	t.Helper()
	api, err := person.NewAPI("../../docs/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c := &Cast{World: w, Users: make([]*User, people)}
	var g errgroup.Group // ended by the calls' timeouts
	g.SetLimit(atOnce)
	for i := range c.Users {
		g.Go(func() error {
			name := fmt.Sprintf("p%d", i)
			p := person.New(t, api, w.URLs[i%len(w.URLs)], name, w.Code)
			session, err := client.Resume(w.URLs, p.Refresh)
			c.Users[i] = &User{ID: p.ID, Name: name, Account: p.Account, session: session}
			return err
		})
	}
	err = g.Wait()
	if t.Failed() {
		t.FailNow() // who could not register has said why
	}
	if err == nil {
		err = c.open(t.Context(), plans)
	}
	if err != nil {
		t.Fatalf("set up: %v", err)
	}
	return c
}

// open makes the rooms.
func (c *Cast) open(ctx context.Context, plans []Plan) error {
	g, ctx := errgroup.WithContext(ctx) // ended by the calls' timeouts
	g.SetLimit(atOnce)
	for _, plan := range plans {
		v := &Venue{Plan: plan}
		c.Venues = append(c.Venues, v)
		g.Go(func() error { return c.openOne(ctx, v) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for _, v := range c.Venues {
		for _, i := range append([]int{v.Owner}, v.Members...) {
			c.Users[i].rooms = append(c.Users[i].rooms, v)
		}
	}
	return nil
}

func (c *Cast) openOne(ctx context.Context, v *Venue) error {
	owner := c.Users[v.Owner]
	var ids []string
	for _, i := range v.everyone()[1:] {
		if err := owner.befriend(ctx, c.Users[i]); err != nil {
			return fmt.Errorf("befriend: %w", err)
		}
		ids = append(ids, c.Users[i].ID)
	}
	if v.Direct {
		v.ID = id.Pair(owner.ID, ids[0])
		return nil
	}
	var room contract.Room
	body := map[string]any{"name": v.Name, "member_ids": ids[:len(v.Members)]}
	if err := owner.session.Do(ctx, http.MethodPost, "/rooms", body, &room); err != nil {
		return fmt.Errorf("make a group: %w", err)
	}
	v.ID = room.ID
	return nil
}

// befriend makes two people friends, if they are not.
func (u *User) befriend(ctx context.Context, other *User) error {
	err := u.session.Do(ctx, http.MethodPost, "/friends", map[string]any{"user_id": other.ID}, nil)
	if fault.Is(err, fault.AlreadyExists) {
		return nil
	}
	return err
}
