// Package person acts as Parley's users do: over HTTP, with every answer held
// against docs/openapi.yaml, and over WebSocket, by the rule of exactly-once
// delivery that a client follows.
package person

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// API calls gateways and checks their answers against the document.
type API struct {
	router routers.Router
	http   *http.Client

	// Called notes "METHOD /path/{template}" of every call that was made.
	Called *Calls
}

// Answer is what a gateway answered.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Problem is an application/problem+json body.
type Problem struct {
	Code      string `json:"code"`
	Detail    string `json:"detail"`
	Status    int    `json:"status"`
	RequestID string `json:"request_id"`
	Errors    []struct {
		Field  string `json:"field"`
		Detail string `json:"detail"`
	} `json:"errors"`
}

// NewAPI reads the document at path.
func NewAPI(path string) (*API, error) {
	doc, err := openapi3.NewLoader().LoadFromFile(path)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		return nil, fmt.Errorf("%s is not valid: %w", path, err)
	}
	doc.Servers = nil // whatever gateway is asked
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		return nil, err
	}
	calls := &Calls{}
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			calls.expect(method + " " + path)
		}
	}
	return &API{
		router: router,
		http:   &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 100}},
		Called: calls,
	}, nil
}

// Call makes one request; body may be nil, a string sent as it is, or
// anything that JSON takes.
func (a *API) Call(t testing.TB, method, base, path, token string, body any) Answer {
	t.Helper()
	answer, err := a.call(t.Context(), method, base, path, token, body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer
}

func (a *API) call(ctx context.Context, method, base, path, token string, body any) (Answer, error) {
	content, err := encode(body)
	if err != nil {
		return Answer{}, err
	}
	request, err := http.NewRequestWithContext(ctx, method, base+path, bytes.NewReader(content))
	if err != nil {
		return Answer{}, err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := a.http.Do(request)
	if err != nil {
		return Answer{}, err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		return Answer{}, err
	}
	answer := Answer{Status: response.StatusCode, Header: response.Header, Body: data}
	return answer, a.check(ctx, request, answer)
}

// check holds an answer against the document.
func (a *API) check(ctx context.Context, request *http.Request, answer Answer) error {
	route, params, err := a.router.FindRoute(&http.Request{
		Method: request.Method, URL: &url.URL{Path: request.URL.Path, RawQuery: request.URL.RawQuery}, Header: request.Header,
	})
	if err != nil {
		return fmt.Errorf("not in the document: %w", err)
	}
	a.Called.note(route.Method + " " + route.Path)
	err = openapi3filter.ValidateResponse(ctx, &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{
			Request: request, PathParams: params, Route: route,
			Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
		},
		Status: answer.Status,
		Header: answer.Header,
		Body:   io.NopCloser(bytes.NewReader(answer.Body)),
		Options: &openapi3filter.Options{
			IncludeResponseStatus: true, // an undocumented status is a fault
			MultiError:            true,
		},
	})
	if err != nil {
		return fmt.Errorf("the answer is not as documented: %w\n%d %s", err, answer.Status, answer.Body)
	}
	return nil
}

func encode(body any) ([]byte, error) {
	switch b := body.(type) {
	case nil:
		return nil, nil
	case string:
		return []byte(b), nil
	default:
		return json.Marshal(b)
	}
}

// Decode reads the body.
func Decode[T any](t testing.TB, a Answer) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(a.Body, &v); err != nil {
		t.Fatalf("decode %s: %v", a.Body, err)
	}
	return v
}

// Refused checks that the answer is a problem of that code, about those
// fields.
func (a Answer) Refused(t testing.TB, code string, fields ...string) Problem {
	t.Helper()
	p := Decode[Problem](t, a)
	if p.Code != code || p.Status != a.Status || p.RequestID == "" ||
		!strings.HasPrefix(a.Header.Get("Content-Type"), "application/problem+json") {
		t.Fatalf("got %d %s, want a problem of code %s", a.Status, a.Body, code)
	}
	for _, field := range fields {
		found := false
		for _, e := range p.Errors {
			found = found || e.Field == field
		}
		if !found {
			t.Fatalf("got %s, want an error on field %s", a.Body, field)
		}
	}
	return p
}

// Is checks the status.
func (a Answer) Is(t testing.TB, status int) Answer {
	t.Helper()
	if a.Status != status {
		t.Fatalf("got %d %s, want %d", a.Status, a.Body, status)
	}
	return a
}
