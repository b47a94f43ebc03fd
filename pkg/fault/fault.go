// Package fault holds the one error type that crosses Parley's edges: a
// service answers with it over NATS, the gateway with it over HTTP and
// WebSocket. A fault is made where a rule is broken and translated once, at
// the edge; everything else is an ordinary wrapped error and becomes Internal
// there, so that no inner text reaches a client.
package fault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Field names one input that was refused and says why.
type Field struct {
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

// Error is a refusal that the caller is meant to read.
type Error struct {
	Code   Code
	Detail string // one sentence for people; empty means the code's title
	Fields []Field
	// RetryAfter is how long to wait before the same request may succeed;
	// zero when waiting does not help or the time is unknown.
	RetryAfter time.Duration

	cause error // kept for the log, never sent
}

// New returns a fault of the given code.
func New(code Code, detail string) *Error {
	return &Error{Code: code, Detail: detail}
}

// Newf is New with a format.
func Newf(code Code, format string, args ...any) *Error {
	return New(code, fmt.Sprintf(format, args...))
}

// Invalid is an InvalidArgument about one field.
func Invalid(field, detail string) *Error {
	return &Error{
		Code:   InvalidArgument,
		Detail: field + ": " + detail,
		Fields: []Field{{Field: field, Detail: detail}},
	}
}

// After returns a copy that tells the client when to try again.
func (e *Error) After(d time.Duration) *Error {
	c := *e
	c.RetryAfter = d
	return &c
}

// Because returns a copy that carries the inner error for the log.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// Error includes the cause; it is for logs. Clients get Detail.
func (e *Error) Error() string {
	s := string(e.Code)
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	if e.cause != nil {
		s += ": " + e.cause.Error()
	}
	return s
}

// LogValue makes a log show what Error says: as JSON, which slog would else
// write, the cause stays behind.
func (e *Error) LogValue() slog.Value { return slog.StringValue(e.Error()) }

// Unwrap returns the cause, which may be nil.
func (e *Error) Unwrap() error { return e.cause }

// From returns err as a fault. A context that ran out becomes
// DeadlineExceeded, one that was cancelled Unavailable, and whatever is not a
// fault Internal with the error as its unseen cause. From(nil) is nil.
func From(err error) *Error {
	if err == nil {
		return nil
	}
	var f *Error
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(err, context.DeadlineExceeded):
		return New(DeadlineExceeded, "the request took too long").Because(err)
	case errors.Is(err, context.Canceled):
		return New(Unavailable, "the request was interrupted").Because(err)
	default:
		return New(Internal, "").Because(err)
	}
}

// Is reports whether err is, or wraps, a fault of the given code.
func Is(err error, code Code) bool {
	var f *Error
	return errors.As(err, &f) && f.Code == code
}

// wire is the form in which a fault crosses NATS and WebSocket.
type wire struct {
	Code         Code    `json:"code"`
	Detail       string  `json:"detail"`
	Errors       []Field `json:"errors,omitempty"`
	RetryAfterMS int64   `json:"retry_after_ms,omitempty"`
}

// MarshalJSON writes {"code","detail","errors"?,"retry_after_ms"?}; the cause
// stays behind.
func (e *Error) MarshalJSON() ([]byte, error) {
	detail := e.Detail
	if detail == "" {
		detail = e.Code.Title()
	}
	return json.Marshal(wire{
		Code:         e.Code,
		Detail:       detail,
		Errors:       e.Fields,
		RetryAfterMS: e.RetryAfter.Milliseconds(),
	})
}

// UnmarshalJSON reads what MarshalJSON wrote. A code that this build does not
// know becomes Internal.
func (e *Error) UnmarshalJSON(data []byte) error {
	var w wire
	if err := json.Unmarshal(data, &w); err != nil {
		return fmt.Errorf("decode fault: %w", err)
	}
	if !w.Code.Known() {
		w.Code = Internal
	}
	*e = Error{
		Code:       w.Code,
		Detail:     w.Detail,
		Fields:     w.Errors,
		RetryAfter: time.Duration(w.RetryAfterMS) * time.Millisecond,
	}
	return nil
}
