package gateway

import (
	"context"
	"mime"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
)

// request is one HTTP request as handlers see it. It ends with the handler.
type request struct {
	ctx     context.Context // ends when the client need not be answered any more
	caller  contract.Caller // empty on calls without authentication
	address string          // of the client; empty when it does not count

	fiber *fiber.Ctx
}

// pathID is the id in the path. One that can't be an id names nothing.
func (r *request) pathID(name, what string) (string, error) {
	id := r.fiber.Params(name)
	if !contract.ValidID(id) {
		return "", fault.New(fault.NotFound, "there is no such "+what)
	}
	return id, nil
}

// roomID is the id of the room in the path.
func (r *request) roomID() (string, error) { return r.pathID("id", "room") }

// pathSeq is the seq in the path. What can't be one names no message.
func (r *request) pathSeq() (int64, error) {
	seq, err := strconv.ParseInt(r.fiber.Params("seq"), 10, 64)
	if err != nil || seq < 1 {
		return 0, fault.New(fault.NotFound, "there is no such message")
	}
	return seq, nil
}

// file is the last part of the path.
func (r *request) file() string { return r.fiber.Params("file") }

// path is the whole path.
func (r *request) path() string { return r.fiber.Path() }

// header is all values of a header, as one list.
func (r *request) header(name string) string {
	var values []string
	for _, v := range r.fiber.Request().Header.PeekAll(name) {
		values = append(values, string(v)) // a copy: the buffer is the server's
	}
	return strings.Join(values, ",")
}

// host is the host that the client asked for, as a trusted proxy tells it.
func (r *request) host() string { return r.fiber.Hostname() }

// query is the first value of the query's parameter, and whether it is there.
func (r *request) query(name string) (string, bool) {
	args := r.fiber.Context().QueryArgs()
	if !args.Has(name) {
		return "", false
	}
	return string(args.Peek(name)), true
}

// text is a parameter of the query that must be there, at most so many
// characters long.
func (r *request) text(name string, most int) (string, error) {
	value, _ := r.query(name)
	switch {
	case value == "":
		return "", fault.Invalid(name, "is missing")
	case !utf8.ValidString(value):
		return "", fault.Invalid(name, "is not UTF-8")
	case utf8.RuneCountInString(value) > most:
		return "", fault.Invalid(name, "is too long")
	}
	return value, nil
}

// decode reads the JSON body into a struct.
func (r *request) decode(into any) error {
	header := &r.fiber.Request().Header
	if encoding := string(header.ContentEncoding()); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return fault.New(fault.InvalidArgument, "the body must not be compressed")
	}
	body := r.fiber.Request().Body() // as it came; Fiber's own Body would unpack it
	if len(body) == 0 {
		return fault.New(fault.InvalidArgument, "a JSON body is needed")
	}
	kind, params, err := mime.ParseMediaType(string(header.ContentType()))
	if err != nil || kind != fiber.MIMEApplicationJSON || params["charset"] != "" && !strings.EqualFold(params["charset"], "utf-8") {
		return fault.New(fault.InvalidArgument, "the Content-Type must be application/json")
	}
	return decodeBody(body, into)
}
