package client

import (
	"context"
	"sync"

	"github.com/parley-im/parley/pkg/fault"
)

// Credentials are a [TokenSource] for bots, who know their password: it logs
// in, refreshes, and logs in again when the session has ended. It ends the
// client only when the password is wrong.
type Credentials struct {
	Gateways []string
	Account  string // or e-mail
	Password string
	Device   string // how the session is listed; may be empty

	mu      sync.Mutex // held while tokens are asked for
	session *Session
}

// Token implements [TokenSource].
func (c *Credentials) Token(ctx context.Context, old string) (Token, error) {
	session, fresh, err := c.current(ctx)
	if err != nil {
		return Token{}, err
	}
	token, err := session.Token(ctx, old)
	if !over(err) || fresh {
		return token, err
	}
	c.forget(session)
	if session, _, err = c.current(ctx); err != nil {
		return Token{}, err
	}
	return session.Token(ctx, old)
}

// Session is the one in use, for calls of the HTTP API; it logs in when there
// is none.
func (c *Credentials) Session(ctx context.Context) (*Session, error) {
	session, _, err := c.current(ctx)
	return session, err
}

func (c *Credentials) current(ctx context.Context) (_ *Session, fresh bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.session != nil {
		return c.session, false, nil
	}
	session, err := Login(ctx, c.Gateways, c.Account, c.Password, c.Device)
	if err != nil {
		return nil, false, err
	}
	c.session = session
	return session, true, nil
}

func (c *Credentials) forget(ended *Session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.session == ended {
		c.session = nil
	}
}

// StaticToken is a [TokenSource] of one access token, for tools that end
// before it does.
type StaticToken string

// Token implements [TokenSource].
func (t StaticToken) Token(_ context.Context, old string) (Token, error) {
	if old != "" {
		return Token{}, fault.New(fault.Unauthenticated, "the access token is of no more use")
	}
	return Token{Access: string(t)}, nil
}
