package fault

import "net/http"

// Code says what kind of refusal it is; its text is part of the wire
// contract.
type Code string

// The codes, in the order of their HTTP status.
const (
	InvalidArgument    Code = "invalid_argument"
	Unauthenticated    Code = "unauthenticated"
	PermissionDenied   Code = "permission_denied"
	NotFound           Code = "not_found"
	AlreadyExists      Code = "already_exists"
	FailedPrecondition Code = "failed_precondition"
	PayloadTooLarge    Code = "payload_too_large"
	ResourceExhausted  Code = "resource_exhausted"
	Internal           Code = "internal"
	Unavailable        Code = "unavailable"
	DeadlineExceeded   Code = "deadline_exceeded"
)

// codes is the one table of what each code means at the HTTP edge.
var codes = map[Code]struct {
	status int
	title  string
}{
	InvalidArgument:    {http.StatusBadRequest, "The request is not valid"},
	Unauthenticated:    {http.StatusUnauthorized, "Authentication is needed"},
	PermissionDenied:   {http.StatusForbidden, "This is not allowed"},
	NotFound:           {http.StatusNotFound, "There is no such thing"},
	AlreadyExists:      {http.StatusConflict, "It exists already"},
	FailedPrecondition: {http.StatusConflict, "Its state does not allow this"},
	PayloadTooLarge:    {http.StatusRequestEntityTooLarge, "The body is too large"},
	ResourceExhausted:  {http.StatusTooManyRequests, "Too many requests"},
	Internal:           {http.StatusInternalServerError, "Something went wrong here"},
	Unavailable:        {http.StatusServiceUnavailable, "Not available right now"},
	DeadlineExceeded:   {http.StatusGatewayTimeout, "It took too long"},
}

// Known reports whether c is one of the codes above.
func (c Code) Known() bool {
	_, ok := codes[c]
	return ok
}

// HTTPStatus is the status of an answer with this code; 500 for an unknown
// one.
func (c Code) HTTPStatus() int {
	if row, ok := codes[c]; ok {
		return row.status
	}
	return http.StatusInternalServerError
}

// Title is the code's sentence, the same for every occurrence.
func (c Code) Title() string {
	if row, ok := codes[c]; ok {
		return row.title
	}
	return codes[Internal].title
}

// Temporary reports whether the same request may succeed later unchanged.
func (c Code) Temporary() bool {
	return c == ResourceExhausted || c == Unavailable || c == DeadlineExceeded
}
