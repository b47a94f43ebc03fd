package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"sync"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
	"github.com/parley-im/parley/standalone/embedded"
)

// refreshBefore is how long before its end an access token is renewed.
const refreshBefore = time.Minute

// accountPassword is everyone's.
const accountPassword = "correct horse battery"

// account is a registered user at one gateway.
type account struct {
	api *api
	id  string

	mu      sync.Mutex
	access  string
	refresh string
	ends    time.Time // of the access token
}

// register makes a user. Calls are repeated when their answer did not come, so
// a code may be spent and the user there, or there in a moment, or not: then it
// begins again.
func register(ctx context.Context, a *api, mail *embedded.SMTP, name string) (*account, error) {
	ctx, cancel := context.WithTimeout(ctx, registerWait)
	defer cancel()
	for {
		grant, err := proveEmail(ctx, a, mail, name)
		if err != nil {
			login := map[string]string{"account": name, "password": accountPassword}
			if a.call(ctx, http.MethodPost, "/auth/login", "", login, &grant) == nil {
				err = nil
			}
		}
		if err == nil {
			u := &account{api: a, id: grant.User.ID}
			u.take(grant)
			return u, nil
		}
		again := refused(err, http.StatusBadRequest) || refused(err, http.StatusConflict) || errors.Is(err, errNoCode)
		if !again || ctx.Err() != nil {
			return nil, err
		}
		forget(ctx, mail, name+"@example.org")
	}
}

// forget takes away mails with codes that a newer one will replace.
func forget(ctx context.Context, mail *embedded.SMTP, email string) {
	for {
		patience, end := context.WithTimeout(ctx, forgetWait)
		_, err := mail.Wait(patience, email)
		end()
		if err != nil {
			return
		}
	}
}

// errNoCode is a mail that did not come in time, or has no code since the
// account is there.
var errNoCode = errors.New("no code came by mail")

// proveEmail registers with a fresh code.
func proveEmail(ctx context.Context, a *api, mail *embedded.SMTP, name string) (grant contract.Grant, err error) {
	email := name + "@example.org"
	err = a.call(ctx, http.MethodPost, "/auth/codes", "", map[string]string{"email": email, "purpose": "register"}, nil)
	if err != nil {
		return grant, err
	}
	patience, end := context.WithTimeout(ctx, mailWait)
	defer end()
	m, err := mail.Wait(patience, email)
	if err != nil {
		return grant, fmt.Errorf("%w: do the services send theirs here, to %s? %w", errNoCode, mail.URL(), err)
	}
	code := sixDigits.FindString(m.Text)
	if code == "" {
		return grant, fmt.Errorf("%w: %q", errNoCode, m.Subject)
	}
	err = a.call(ctx, http.MethodPost, "/auth/register", "", map[string]string{
		"email": email, "code": code, "account": name, "password": accountPassword,
	}, &grant)
	return grant, err
}

var sixDigits = regexp.MustCompile(`\b[0-9]{6}\b`)

func (u *account) take(grant contract.Grant) {
	u.access, u.refresh = grant.AccessToken, grant.RefreshToken
	u.ends = time.Now().Add(time.Duration(grant.ExpiresIn) * time.Second)
}

// token is an access token that is good for a while.
func (u *account) token(ctx context.Context) (string, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if time.Until(u.ends) > refreshBefore {
		return u.access, nil
	}
	var grant contract.Grant
	err := u.api.call(ctx, http.MethodPost, "/auth/refresh", "", map[string]string{"refresh_token": u.refresh}, &grant)
	if err != nil {
		return "", err
	}
	u.take(grant)
	return u.access, nil
}

// call calls the API as this user.
func (u *account) call(ctx context.Context, method, path string, body, answer any) error {
	token, err := u.token(ctx)
	if err != nil {
		return err
	}
	return u.api.call(ctx, method, path, token, body, answer)
}

// befriend returns the direct room of the two, also when they are friends
// already.
func (u *account) befriend(ctx context.Context, other *account) (roomID string, err error) {
	var reply contract.AddFriendReply
	err = u.call(ctx, http.MethodPost, "/friends", map[string]string{"user_id": other.id}, &reply)
	if refused(err, http.StatusConflict) { // a call that was repeated had succeeded
		return id.Pair(u.id, other.id), nil
	}
	return reply.RoomID, err
}

// group makes a group with friends.
func (u *account) group(ctx context.Context, name string, others []*account) (roomID string, err error) {
	members := make([]string, len(others))
	for i, o := range others {
		members[i] = o.id
	}
	var made contract.Room
	err = u.call(ctx, http.MethodPost, "/rooms", map[string]any{"name": name, "member_ids": members, "client_id": name}, &made)
	return made.ID, err
}

// say sends a message over HTTP.
func (u *account) say(ctx context.Context, roomID string, id clientID, text string) (contract.Message, error) {
	var sent contract.Message
	err := u.call(ctx, http.MethodPost, "/rooms/"+roomID+"/messages", contract.SendData{
		ClientID: string(id[:]), Type: contract.MessageText, Content: contract.Content{Text: text},
	}, &sent)
	return sent, err
}
