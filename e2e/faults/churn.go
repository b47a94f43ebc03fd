package faults

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
)

// codeOf is the code with which a call was refused; empty if it has none.
func codeOf(err error) fault.Code {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Code
	}
	return ""
}

// churnEvery is the mean time between two actions of one churner.
const churnEvery = 400 * time.Millisecond

// churn is what the churners share.
type churn struct {
	*Crowd
	people []*User
	groups chan string // some groups, handed from one to the other
}

// Churn has the last of the people make and break friendships and groups
// among themselves until talking ends. Nobody knows beforehand what comes of
// it, but the events must tell of it as the store does.
func (c *Crowd) Churn(talking, lasting context.Context) {
	ch := &churn{Crowd: c, people: c.Users[len(c.Users)-churners:], groups: make(chan string, 12)}
	for _, u := range ch.people {
		c.begin(func() { ch.run(talking, lasting, u) }) // ended by talking
	}
}

func (ch *churn) run(talking, lasting context.Context, u *User) {
	random := ch.rand(u.Name)
	for n := 0; sleep(talking, time.Duration(random.ExpFloat64()*float64(churnEvery))); n++ {
		err := ch.act(talking, lasting, random, u, n)
		if code := codeOf(err); code != "" {
			ch.mu.Lock()
			ch.trips[code]++
			ch.mu.Unlock()
		}
	}
}

// act does one thing, most of which come to something most of the time.
func (ch *churn) act(talking, lasting context.Context, random *rand.Rand, u *User, n int) error {
	other := ch.people[random.IntN(len(ch.people))]
	switch dice := random.IntN(20); {
	case dice < 5:
		return u.try(talking, http.MethodPost, "/friends", map[string]any{"user_id": other.ID}, nil)
	case dice < 7:
		return u.try(talking, http.MethodDelete, "/friends/"+other.ID, nil, nil)
	case dice < 9:
		return ch.found(talking, random, u, n)
	}
	room, ok := ch.group()
	if !ok {
		return ch.found(talking, random, u, n)
	}
	defer ch.offer(room)
	path := "/rooms/" + room
	switch random.IntN(7) {
	case 0:
		return u.try(talking, http.MethodPatch, path, map[string]any{"name": fmt.Sprintf("churn %d", n)}, nil)
	case 1, 2:
		return u.try(talking, http.MethodPost, path+"/members", map[string]any{"user_ids": []string{other.ID}}, nil)
	case 3:
		return u.try(talking, http.MethodDelete, path+"/members/"+other.ID, nil, nil)
	case 4:
		roles := []contract.Role{contract.RoleAdmin, contract.RoleMember, contract.RoleOwner}
		return u.try(talking, http.MethodPatch, path+"/members/"+other.ID, map[string]any{"role": roles[random.IntN(3)]}, nil)
	case 5:
		if random.IntN(3) > 0 {
			return nil // groups are to last for a while
		}
		return u.try(talking, http.MethodDelete, path, nil, nil)
	default:
		_, err := ch.devices[u][0].Send(lasting, room, fmt.Sprintf("%s-%d", u.Name, n), "perhaps")
		return err
	}
}

// found makes a group with some of the others, friends or not.
func (ch *churn) found(ctx context.Context, random *rand.Rand, u *User, n int) error {
	var ids []string
	for _, other := range ch.people {
		if random.IntN(3) == 0 {
			ids = append(ids, other.ID)
		}
	}
	var room contract.Room
	body := map[string]any{"name": "churn", "member_ids": ids, "client_id": fmt.Sprintf("group-%d", n)}
	err := u.try(ctx, http.MethodPost, "/rooms", body, &room)
	if room.ID != "" {
		ch.offer(room.ID)
	}
	return err
}

// group takes one of the groups; offer gives it back, or drops it when there
// are many.
func (ch *churn) group() (string, bool) {
	select {
	case id := <-ch.groups:
		return id, true
	default:
		return "", false
	}
}

func (ch *churn) offer(id string) {
	select {
	case ch.groups <- id:
	default:
	}
}
