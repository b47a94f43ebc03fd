package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/parley-im/parley/pkg/fault"
)

// The statuses that parleyctl exits with.
const (
	statusOK          = 0
	statusFailed      = 1 // doctor found something, or it went wrong here
	statusUsage       = 2 // the command line, or what it names, is wrong; not confirmed
	statusNotFound    = 3
	statusRefused     = 4
	statusUnavailable = 5 // it may be tried again; when it took too long, it may have been done
)

// errUnwell says that doctor found something.
var errUnwell = errors.New("something is wrong")

// usageError is a mistake in the command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usage(err error) error {
	if err == nil {
		return nil
	}
	return usageError{err}
}

func status(err error) int {
	var mistake usageError
	if errors.As(err, &mistake) {
		return statusUsage
	}
	var f *fault.Error
	if !errors.As(err, &f) {
		return statusFailed
	}
	switch f.Code {
	case fault.InvalidArgument, fault.PayloadTooLarge:
		return statusUsage
	case fault.NotFound:
		return statusNotFound
	case fault.PermissionDenied, fault.Unauthenticated, fault.FailedPrecondition, fault.AlreadyExists:
		return statusRefused
	case fault.Unavailable, fault.DeadlineExceeded, fault.ResourceExhausted:
		return statusUnavailable
	case fault.Internal:
	}
	return statusFailed
}

// complain tells an error: in a line, or as {"command","error":{"code","detail"}}.
func complain(to io.Writer, command string, err error, asJSON bool) {
	f := told(err)
	if !asJSON {
		fmt.Fprintf(to, "%s: %s\n", command, f.Detail)
		return
	}
	_ = json.NewEncoder(to).Encode(struct {
		Command string       `json:"command"`
		Error   *fault.Error `json:"error"`
	}{command, f})
}

// told is the error as a fault whose detail says all of it.
func told(err error) *fault.Error {
	var mistake usageError
	if errors.As(err, &mistake) {
		return fault.New(fault.InvalidArgument, mistake.Error())
	}
	var f *fault.Error
	if !errors.As(err, &f) {
		return fault.New(fault.Internal, err.Error())
	}
	detail := f.Detail
	if detail == "" {
		detail = f.Code.Title()
	}
	all := *f
	all.Detail = strings.Replace(err.Error(), f.Error(), detail, 1) // what wraps it, too
	return &all
}
