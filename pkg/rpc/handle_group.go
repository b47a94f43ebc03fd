package rpc

import (
	"bytes"
	"context"
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/payload"
)

// Result is what became of one request of a group: its reply, or an error.
type Result[Rep any] struct {
	Reply Rep
	Err   error
}

// groupResult is a Result on the wire; or, when what the group is answered has
// grown large, word that this request is to come again, alone.
type groupResult struct {
	Reply jsontext.Value `json:"reply,omitempty"`
	Fault jsontext.Value `json:"fault,omitempty"`
	Alone bool           `json:"alone,omitempty"`
}

// groupReplyBytes is where the answer to a group ends: half of what NATS takes
// by default.
const groupReplyBytes = 512 << 10

// HandleGroup is [Handle] for a Grouped method: h gets the requests that came
// together, one of them often, and must return as many results, in their
// order. They are of different callers; one's error concerns no other. A
// request whose reply finds no place beside the others' is sent again and
// answered by itself, so the method must be Repeatable.
func HandleGroup[Req, Rep any](s *Server, m contract.Method[Req, Rep], h func(context.Context, []Req) []Result[Rep]) {
	if m.Grouped == 0 || !m.Repeatable {
		panic(fmt.Sprintf("rpc: %s is not grouped and repeatable", m.Subject()))
	}
	ep := newEndpoint(s, m)
	ep.serve = func(ctx context.Context, data []byte, out *bytes.Buffer) error {
		reqs := make([]Req, 1)
		if err := payload.Decode(data, &reqs[0]); err != nil {
			return badRequest(err)
		}
		result := h(ctx, reqs)[0]
		return reply(out, &result.Reply, result.Err)
	}
	ep.serveGroup = func(ctx context.Context, data []byte, out *bytes.Buffer) ([]*fault.Error, error) {
		var reqs []Req
		if err := payload.Decode(data, &reqs); err != nil {
			return nil, badRequest(err)
		}
		if len(reqs) == 0 || len(reqs) > m.Grouped {
			return nil, fault.New(fault.InvalidArgument, fmt.Sprintf("a group of these holds 1 to %d requests", m.Grouped))
		}
		faults := make([]*fault.Error, len(reqs))
		for i, result := range h(ctx, reqs) {
			out.WriteByte("[,"[min(i, 1)])
			begin := out.Len()
			faults[i] = writeResult(out, &result.Reply, result.Err)
			if len(reqs) > 1 && out.Len() > groupReplyBytes {
				out.Truncate(begin)
				out.WriteString(`{"alone":true}`)
			}
		}
		out.WriteByte(']')
		return faults, nil
	}
	s.add(m.Service, ep)
}

// Each answers the requests of a group one by one, all at once, and returns
// when all are answered. One's panic is its own error, Internal.
func Each[Req, Rep any](ctx context.Context, reqs []Req, h func(context.Context, Req) (Rep, error)) []Result[Rep] {
	results := make([]Result[Rep], len(reqs))
	var answering sync.WaitGroup
	for i, req := range reqs {
		answering.Go(func() { // joined below, ended as h is: by ctx
			defer func() {
				if v := recover(); v != nil {
					results[i].Err = fault.New(fault.Internal, "").Because(&panicError{value: v, stack: debug.Stack()})
				}
			}()
			results[i].Reply, results[i].Err = h(ctx, req)
		})
	}
	answering.Wait()
	return results
}

// writeResult adds one to a group's answer, and returns the fault that it
// holds, or nil.
func writeResult(out *bytes.Buffer, rep any, err error) *fault.Error {
	begin := out.Len()
	out.WriteString(`{"reply":`)
	var f *fault.Error
	if err := reply(out, rep, err); err != nil {
		f = asFault(err)
		_, _, body := wireError(f)
		if body == nil { // there are no headers here that would say enough
			_, _, body = wireError(fault.New(f.Code, ""))
		}
		out.Truncate(begin)
		out.WriteString(`{"fault":`)
		out.Write(body)
	}
	out.WriteByte('}')
	return f
}
