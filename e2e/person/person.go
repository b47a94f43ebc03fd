package person

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
)

// Password is what everyone here uses.
const Password = "correct horse battery"

// Person is a registered user at one gateway.
type Person struct {
	API     *API
	Gateway string // base URL

	ID       string
	Account  string
	Email    string
	Access   string
	Refresh  string
	mailCode func(t testing.TB, email string) string
}

// New registers a person at the gateway; code waits for what is mailed.
func New(t testing.TB, api *API, gateway, name string, code func(t testing.TB, email string) string) *Person {
	t.Helper()
	account := name + "_" + strings.ToLower(id.New()[18:])
	p := &Person{API: api, Gateway: gateway, Account: account, Email: account + "@example.org", mailCode: code}
	p.Post(t, "/api/v1/auth/codes", map[string]any{"email": p.Email, "purpose": "register"}).Is(t, http.StatusAccepted)
	grant := Decode[contract.Grant](t, p.Post(t, "/api/v1/auth/register", map[string]any{
		"email": p.Email, "code": code(t, p.Email), "account": account, "password": Password, "nickname": name,
	}).Is(t, http.StatusCreated))
	p.ID = grant.User.ID
	p.use(grant)
	return p
}

func (p *Person) use(grant contract.Grant) {
	p.Access, p.Refresh = grant.AccessToken, grant.RefreshToken
}

// Login opens a further session and returns the person with it, at the
// gateway given.
func (p *Person) Login(t testing.TB, gateway, device string) *Person {
	t.Helper()
	other := *p
	other.Gateway, other.Access, other.Refresh = gateway, "", ""
	other.use(Decode[contract.Grant](t, other.Post(t, "/api/v1/auth/login", map[string]any{
		"account": p.Account, "password": Password, "device_name": device,
	}).Is(t, http.StatusOK)))
	return &other
}

// Get asks.
func (p *Person) Get(t testing.TB, path string) Answer {
	t.Helper()
	return p.call(t, http.MethodGet, path, nil)
}

// Getf is Get with a format.
func (p *Person) Getf(t testing.TB, path string, args ...any) Answer {
	t.Helper()
	return p.Get(t, fmt.Sprintf(path, args...))
}

// Post adds.
func (p *Person) Post(t testing.TB, path string, body any) Answer {
	t.Helper()
	return p.call(t, http.MethodPost, path, body)
}

// Put replaces.
func (p *Person) Put(t testing.TB, path string, body any) Answer {
	t.Helper()
	return p.call(t, http.MethodPut, path, body)
}

// Patch changes.
func (p *Person) Patch(t testing.TB, path string, body any) Answer {
	t.Helper()
	return p.call(t, http.MethodPatch, path, body)
}

// Delete removes.
func (p *Person) Delete(t testing.TB, path string) Answer {
	t.Helper()
	return p.call(t, http.MethodDelete, path, nil)
}

func (p *Person) call(t testing.TB, method, path string, body any) Answer {
	t.Helper()
	return p.API.Call(t, method, p.Gateway, path, p.Access, body)
}

// Befriend makes two people friends and returns their direct room.
func (p *Person) Befriend(t testing.TB, other *Person) string {
	t.Helper()
	return Decode[contract.AddFriendReply](t, p.Post(t, "/api/v1/friends", map[string]any{"user_id": other.ID}).
		Is(t, http.StatusCreated)).RoomID
}

// Group makes a group with friends.
func (p *Person) Group(t testing.TB, name string, members ...*Person) contract.Room {
	t.Helper()
	ids := make([]string, len(members))
	for i, m := range members {
		ids[i] = m.ID
	}
	return Decode[contract.Room](t, p.Post(t, "/api/v1/rooms", map[string]any{"name": name, "member_ids": ids}).
		Is(t, http.StatusCreated))
}

// Send sends a text over HTTP.
func (p *Person) Send(t testing.TB, roomID, clientID, text string) Answer {
	t.Helper()
	return p.Post(t, "/api/v1/rooms/"+roomID+"/messages", Text(clientID, text))
}

// Text is the body of a text message.
func Text(clientID, text string) map[string]any {
	return map[string]any{"client_id": clientID, "type": "text", "content": map[string]any{"text": text}}
}

// History reads the whole room by seq, page by page.
func (p *Person) History(t testing.TB, roomID string) []contract.Message {
	t.Helper()
	var all []contract.Message
	after := int64(0)
	for {
		page := Decode[contract.HistoryReply](t, p.Getf(t, "/api/v1/rooms/%s/messages?after_seq=%d&limit=200", roomID, after).Is(t, http.StatusOK))
		all = append(all, page.Items...)
		if !page.HasMore {
			return all
		}
		after = page.Items[len(page.Items)-1].Seq
	}
}
