package gateway

import (
	"math"
	"strconv"
	"time"

	"github.com/parley-im/parley/pkg/fault"
)

// problem is the body of every refusal: application/problem+json (RFC 9457).
type problem struct {
	Type      string        `json:"type"`
	Title     string        `json:"title"`
	Status    int           `json:"status"`
	Code      fault.Code    `json:"code"`
	Detail    string        `json:"detail"`
	RequestID string        `json:"request_id"`
	Errors    []fault.Field `json:"errors,omitempty"`

	retryAfter string // for the header of that name, in seconds; empty for none
}

// problemOf translates an error. What is not a fault becomes internal and
// loses its text.
func problemOf(err error, requestID string) problem {
	f := fault.From(err)
	if f.Code == fault.Internal || !f.Code.Known() {
		f = fault.New(fault.Internal, "")
	}
	p := problem{
		Type:       "urn:parley:problem:" + string(f.Code),
		Title:      f.Code.Title(),
		Status:     f.Code.HTTPStatus(),
		Code:       f.Code,
		Detail:     f.Detail,
		RequestID:  requestID,
		Errors:     f.Fields,
		retryAfter: retryAfter(f),
	}
	if p.Detail == "" {
		p.Detail = p.Title
	}
	return p
}

// retryAfter is how many seconds to wait, rounded up. Whoever is told that
// there is too much gets a time in any case.
func retryAfter(f *fault.Error) string {
	wait := f.RetryAfter
	if wait <= 0 && (f.Code == fault.ResourceExhausted || f.Code == fault.Unavailable) {
		wait = retryHint
	}
	if wait <= 0 {
		return ""
	}
	return strconv.FormatInt(int64(math.Ceil(float64(wait)/float64(time.Second))), 10)
}
