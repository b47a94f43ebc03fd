package rpc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/parley-im/parley/pkg/fault"
)

// unavailableAfter is the hint to callers whose request found nobody.
const unavailableAfter = time.Second

var (
	// errClosed is a connection that was closed before the request was sent.
	errClosed = errors.New("connection to NATS is closed")
	// errBroke is a connection that went away after the request had left.
	errBroke = errors.New("connection to NATS broke")
	// errGroupReply is an answer that does not fit its group.
	errGroupReply = errors.New("the answer to a group is not one")
	// errUnanswered is a request that is sent again though it may have been
	// run.
	errUnanswered = errors.New("no answer yet")
)

// judge says what an error of the transport means, and whether the request
// may be sent again: it surely was not run, or (errUnanswered) may run twice.
func judge(err error) (again bool, f *fault.Error) {
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		return true, unavailable("the service has no replica", err)
	case errors.Is(err, nats.ErrConnectionReconnecting), errors.Is(err, nats.ErrReconnectBufExceeded):
		return true, unavailable("the service is out of reach", err)
	case errors.Is(err, errUnanswered):
		return true, fault.New(fault.DeadlineExceeded, "the request took too long").Because(err)
	case errors.Is(err, errClosed), errors.Is(err, nats.ErrConnectionDraining):
		return false, unavailable("this process is stopping", err)
	case errors.Is(err, nats.ErrMaxPayload):
		return false, fault.New(fault.PayloadTooLarge, "the request is too large").Because(err)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return false, fault.From(err)
	case brokeOff(err):
		return false, fault.New(fault.DeadlineExceeded, "the connection broke before the answer came").Because(err)
	default:
		return false, fault.From(fmt.Errorf("send request: %w", err))
	}
}

func unavailable(detail string, cause error) *fault.Error {
	return fault.New(fault.Unavailable, detail).After(unavailableAfter).Because(cause)
}

// brokeOff reports whether the connection went away when the request may have
// been on it already.
func brokeOff(err error) bool {
	for _, broken := range []error{errBroke, nats.ErrConnectionClosed, nats.ErrDisconnected, nats.ErrStaleConnection, net.ErrClosed} {
		if errors.Is(err, broken) {
			return true
		}
	}
	var network net.Error
	return errors.As(err, &network)
}

// remoteError is the cause of a fault that a service answered: it was logged
// there.
type remoteError struct{ method string }

func (e *remoteError) Error() string { return "answered by " + e.method }

func isRemote(f *fault.Error) bool {
	var remote *remoteError
	return errors.As(f, &remote)
}

// remoteFault reads the fault that a service answered. If the body holds
// none, micro's description has its code.
func remoteFault(method string, reply *nats.Msg) *fault.Error {
	if f, ok := readFault(method, reply.Data); ok {
		return f
	}
	f := &fault.Error{Code: fault.Code(reply.Header.Get(micro.ErrorHeader))}
	if !f.Code.Known() {
		f.Code = fault.Internal
	}
	return f.Because(&remoteError{method: method})
}

// readFault reads a fault's JSON, if it is that.
func readFault(method string, data []byte) (f *fault.Error, ok bool) {
	f = new(fault.Error)
	ok = json.Unmarshal(data, f) == nil
	return f.Because(&remoteError{method: method}), ok
}
