package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

const (
	registerWait = 3 * time.Minute // for all of it
	mailWait     = time.Minute     // codes may wait behind many others
	forgetWait   = time.Second     // for one more that is on its way
	callWait     = time.Minute     // for a call of the API, with its repeats
	callPause    = 100 * time.Millisecond
	answerLimit  = 4 << 20
	connsAtOnce  = 32 // of HTTP, to one gateway
)

// api calls one gateway over HTTP.
type api struct {
	base string // with /api/v1
	http *http.Client
}

func newAPI(gateway string) *api {
	return &api{base: gateway + "/api/v1", http: &http.Client{
		Timeout:   callWait,
		Transport: &http.Transport{MaxIdleConnsPerHost: connsAtOnce}, // no proxy: what is measured is near
	}}
}

// problem is an answer that is none.
type problem struct {
	Status int
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

func (p problem) Error() string { return fmt.Sprintf("%s: %s", p.Code, p.Detail) }

// passing says that the same call may succeed in a while.
func (p problem) passing() bool {
	switch p.Status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// refused reports whether err is an answer of this status.
func refused(err error, status int) bool {
	var p problem
	return errors.As(err, &p) && p.Status == status
}

// call makes a call, again and again while its error is a passing one. The
// answer may be nil.
func (a *api) call(ctx context.Context, method, path, token string, body, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, callWait)
	defer cancel()
	for {
		err := a.once(ctx, method, path, token, body, answer)
		var p problem
		if err == nil || !errors.As(err, &p) || !p.passing() || ctx.Err() != nil {
			return err
		}
		sleep(ctx, callPause)
	}
}

func (a *api) once(ctx context.Context, method, path, token string, body, answer any) error {
	content, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	request, err := http.NewRequestWithContext(ctx, method, a.base+path, bytes.NewReader(content))
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := a.http.Do(request)
	if err != nil {
		return err // it names the call
	}
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, answerLimit))
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if response.StatusCode >= http.StatusBadRequest {
		p := problem{Status: response.StatusCode, Code: response.Status}
		_ = json.Unmarshal(data, &p) // else the status says it
		return fmt.Errorf("%s %s: %w", method, path, p)
	}
	if answer != nil {
		if err := json.Unmarshal(data, answer); err != nil {
			return fmt.Errorf("%s %s: %w", method, path, err)
		}
	}
	return nil
}
