package rpc

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
)

// answer sends the reply, or f in its place, and returns what the caller was
// told: nil for the reply.
func (s *Server) answer(ctx context.Context, j job, reply []byte, f *fault.Error) *fault.Error {
	if f == nil {
		err := s.nc.PublishMsg(&nats.Msg{Subject: j.req.Reply(), Data: reply, Header: s.leavingHeader(j)})
		if !errors.Is(err, nats.ErrMaxPayload) {
			s.notSent(ctx, j, err)
			return nil
		}
		// Left alone, the caller would wait for its whole deadline.
		s.log.LogAttrs(ctx, slog.LevelError, "reply too large for NATS",
			slog.String("method", j.ep.label),
			slog.Int("bytes", len(reply)), slog.Int64("max_payload", s.nc.MaxPayload()))
		f = fault.New(fault.PayloadTooLarge, "the answer is too large; ask for less")
	}
	if f.Code == fault.Internal {
		s.logInternal(ctx, j, f)
	}
	err := s.nc.PublishMsg(faultMessage(j.req.Reply(), f))
	if errors.Is(err, nats.ErrMaxPayload) { // thousands of fields
		err = s.nc.PublishMsg(faultMessage(j.req.Reply(), fault.New(f.Code, "")))
	}
	s.notSent(ctx, j, err)
	return f
}

// leavingHeader is what asks a caller who preferred this replica to do so no
// more; nil while it stays.
func (s *Server) leavingHeader(j job) nats.Header {
	if !j.preferred || !s.leaving.Load() {
		return nil
	}
	return nats.Header{contract.HeaderLeaving: {s.replica}}
}

func (s *Server) notSent(ctx context.Context, j job, err error) {
	if err != nil {
		s.log.LogAttrs(ctx, slog.LevelWarn, "answer not sent",
			slog.String("method", j.ep.label), slog.Any("error", err))
	}
}

// logInternal is the one place that logs what went wrong in a handler. A
// fault that another service answered was logged there.
func (s *Server) logInternal(ctx context.Context, j job, f *fault.Error) {
	if isRemote(f) {
		return
	}
	attrs := []slog.Attr{slog.String("method", j.ep.label), slog.Any("error", f)}
	var p *panicError
	if errors.As(f, &p) {
		attrs = append(attrs, slog.String("stack", string(p.stack)))
	}
	s.log.LogAttrs(ctx, slog.LevelError, "request failed", attrs...)
}

// wireError is f in the form in which micro answers errors: a code (the HTTP
// status), a description (the fault's code) and a body (the fault as JSON).
// Of an Internal fault only the code is told.
func wireError(f *fault.Error) (code, description string, body []byte) {
	if f.Code == fault.Internal || !f.Code.Known() {
		f = fault.New(fault.Internal, "")
	}
	body, err := json.Marshal(f)
	if err != nil {
		body = nil // the headers say enough
	}
	return strconv.Itoa(f.Code.HTTPStatus()), string(f.Code), body
}

func faultMessage(reply string, f *fault.Error) *nats.Msg {
	code, description, body := wireError(f)
	return &nats.Msg{
		Subject: reply,
		Header:  nats.Header{micro.ErrorCodeHeader: {code}, micro.ErrorHeader: {description}},
		Data:    body,
	}
}

// retryHint spreads those who were refused together.
func retryHint() time.Duration {
	return 250*time.Millisecond + rand.N(250*time.Millisecond)
}
