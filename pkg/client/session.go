package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
)

const (
	// freshFor is how much life a token must have left to be given out again.
	freshFor = 10 * time.Second
	// answerLimit bounds what is read of an answer, in bytes.
	answerLimit = 8 << 20
)

// Session is one login. It is a [TokenSource] that refreshes its tokens, and
// calls the HTTP API with them. It is safe for use by many goroutines and
// clients.
type Session struct {
	// Rotated, if set before the first use, is told each new refresh token,
	// before it counts, so that it can be kept for Resume. An error of its has
	// the refresh fail: the token before is valid for another minute.
	Rotated func(refreshToken string) error
	// HTTPClient makes the calls. Nil: http.DefaultClient.
	HTTPClient *http.Client

	gateways []string

	mu      sync.Mutex // held while tokens are refreshed: one at a time
	access  Token
	refresh string
}

// Login opens a session with an account, or e-mail, and password. The device
// name may be empty. The error is a *[fault.Error] of the code Unauthenticated
// when they are wrong.
func Login(ctx context.Context, gateways []string, account, password, device string) (*Session, error) {
	s, err := newSession(gateways)
	if err != nil {
		return nil, err
	}
	var grant contract.Grant
	body := map[string]string{"account": account, "password": password, "device_name": device}
	if err := s.post(ctx, "/auth/login", body, &grant); err != nil {
		return nil, fmt.Errorf("log in: %w", err)
	}
	s.use(grant, time.Now())
	return s, nil
}

// Resume goes on with a session whose refresh token was kept.
func Resume(gateways []string, refreshToken string) (*Session, error) {
	s, err := newSession(gateways)
	if err != nil {
		return nil, err
	}
	s.refresh = refreshToken
	return s, nil
}

func newSession(gateways []string) (*Session, error) {
	urls, err := baseURLs(gateways)
	if err != nil {
		return nil, err
	}
	return &Session{gateways: shuffled(urls)}, nil
}

func (s *Session) use(grant contract.Grant, asked time.Time) {
	s.access = Token{Access: grant.AccessToken, ExpiresAt: asked.Add(time.Duration(grant.ExpiresIn) * time.Second)}
	s.refresh = grant.RefreshToken
}

// Token implements [TokenSource]. A refresh whose answer got lost is repeated
// with the same refresh token, which the server takes for a minute.
func (s *Session) Token(ctx context.Context, old string) (Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.access.Access != "" && s.access.Access != old && time.Until(s.access.ExpiresAt) > freshFor {
		return s.access, nil
	}
	var grant contract.Grant
	asked := time.Now()
	if err := s.post(ctx, "/auth/refresh", map[string]string{"refresh_token": s.refresh}, &grant); err != nil {
		return Token{}, fmt.Errorf("refresh the session: %w", err)
	}
	if s.Rotated != nil {
		if err := s.Rotated(grant.RefreshToken); err != nil {
			return Token{}, fmt.Errorf("keep the refresh token: %w", err)
		}
	}
	s.use(grant, asked)
	return s.access, nil
}

// Do calls the HTTP API as the session's user: method and path below /api/v1,
// such as GET /rooms. in is sent and out filled as JSON, both may be nil. A
// gateway that can't be reached is passed over for another one, when the
// method is one that may be repeated. The error is a *[fault.Error] when the
// call was refused.
func (s *Session) Do(ctx context.Context, method, path string, in, out any) error {
	token, err := s.Token(ctx, "")
	if err != nil {
		return err
	}
	err = s.call(ctx, method, path, token.Access, in, out)
	if !fault.Is(err, fault.Unauthenticated) {
		return err
	}
	if token, err = s.Token(ctx, token.Access); err != nil {
		return err
	}
	return s.call(ctx, method, path, token.Access, in, out)
}

// post makes an open call.
func (s *Session) post(ctx context.Context, path string, in, out any) error {
	return s.call(ctx, http.MethodPost, path, "", in, out)
}

// call asks one gateway after the other until one answers.
func (s *Session) call(ctx context.Context, method, path, token string, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return fmt.Errorf("encode %s %s: %w", method, path, err)
		}
	}
	var errs []error
	for _, gateway := range s.gateways {
		err := s.ask(ctx, method, gateway+"/api/v1"+path, token, body, out)
		var refusal *fault.Error
		if err == nil || errors.As(err, &refusal) || ctx.Err() != nil {
			return err
		}
		errs = append(errs, err)
		if method == http.MethodPost && token != "" {
			break // it may have been carried out
		}
	}
	return errors.Join(errs...)
}

func (s *Session) ask(ctx context.Context, method, url, token string, body []byte, out any) error {
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	client := s.HTTPClient
	if client == nil {
		client = http.DefaultClient
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, answerLimit))
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if response.StatusCode >= 300 {
		return refusal(response, data)
	}
	if out == nil || len(data) == 0 {
		return nil
	}
	if err := json.Unmarshal(data, out); err != nil {
		return fmt.Errorf("decode the answer: %w", err)
	}
	return nil
}

// refusal reads a problem (RFC 9457). Something else, of a proxy perhaps, is
// Unavailable.
func refusal(response *http.Response, body []byte) error {
	f := new(fault.Error)
	if json.Unmarshal(body, f) != nil || f.Detail == "" {
		f = fault.Newf(fault.Unavailable, "answered %s", response.Status)
	}
	return f.After(retryAfter(response.Header))
}
