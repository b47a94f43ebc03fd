package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/parley-im/parley/pkg/client"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
)

// use takes two accounts that exist, "name:password,name:password".
func (t *trial) use(accounts string) error {
	list := strings.Split(accounts, ",")
	if len(list) != len(t.people) {
		return errors.New("SMOKE_ACCOUNTS must be name:password,name:password, of two accounts; or use -mailpit")
	}
	for i, one := range list {
		name, password, ok := strings.Cut(strings.TrimSpace(one), ":")
		if !ok || name == "" || password == "" {
			return fmt.Errorf("account %d of SMOKE_ACCOUNTS is not name:password", i+1)
		}
		t.people[i] = account{name: name, password: password}
	}
	if t.people[0].name == t.people[1].name {
		return errors.New("SMOKE_ACCOUNTS names one account twice")
	}
	return nil
}

// refused reports whether a gateway has answered that it will not, rather than
// that it can't at the moment.
func refused(err error) bool {
	var f *fault.Error
	return errors.As(err, &f) && !f.Code.Temporary() && f.Code != fault.Internal
}

func (a *account) login(ctx context.Context) error {
	err := persist(ctx, func() (err error) {
		a.session, err = client.Login(ctx, []string{a.gateway}, a.name, a.password, "smoke")
		return err
	})
	if err != nil {
		return fmt.Errorf("%s at %s: %w", a.name, a.gateway, err)
	}
	return nil
}

func (a *account) dial(ctx context.Context) (*client.Client, error) {
	c, err := client.Dial(ctx, client.Options{Gateways: []string{a.gateway}, Tokens: a.session})
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", a.gateway, err)
	}
	return c, nil
}

// befriend makes the other a friend, if it is none, and returns their room.
func (a *account) befriend(ctx context.Context, other string) (string, error) {
	var reply contract.AddFriendReply
	err := persist(ctx, func() error {
		return a.session.Do(ctx, http.MethodPost, "/friends", map[string]string{"account": other}, &reply)
	})
	switch {
	case fault.Is(err, fault.AlreadyExists):
		return a.roomWith(ctx, other)
	case err != nil:
		return "", fmt.Errorf("befriend %s: %w", other, err)
	}
	return reply.RoomID, nil
}

// friends is a page of GET /friends.
type friends struct {
	Items []struct {
		User   contract.Profile `json:"user"`
		RoomID string           `json:"room_id"`
	} `json:"items"`
	NextCursor string `json:"next_cursor"`
}

// roomWith finds the room with a friend.
func (a *account) roomWith(ctx context.Context, other string) (string, error) {
	for query := (url.Values{"limit": {"200"}}); ; {
		var page friends
		err := persist(ctx, func() error {
			return a.session.Do(ctx, http.MethodGet, "/friends?"+query.Encode(), nil, &page)
		})
		if err != nil {
			return "", fmt.Errorf("list friends: %w", err)
		}
		for _, friend := range page.Items {
			if friend.User.Account == other {
				return friend.RoomID, nil
			}
		}
		if page.NextCursor == "" {
			return "", fmt.Errorf("%s is a friend, and not among the friends", other)
		}
		query.Set("cursor", page.NextCursor)
	}
}
