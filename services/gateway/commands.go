package gateway

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/fasthttp/websocket"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/payload"
	"github.com/parley-im/parley/pkg/rpc"
	"github.com/parley-im/parley/pkg/telemetry"
)

// maxFrameID is the most characters of a frame's id; it is echoed as it is.
const maxFrameID = 64

// ack is the reply to a frame that was carried out.
type ack struct {
	ID   string      `json:"id"`
	Op   contract.Op `json:"op"`
	Data any         `json:"data"`
}

// refusal is the reply to a frame that was not.
type refusal struct {
	ID    string       `json:"id"`
	Op    contract.Op  `json:"op"`
	Error *fault.Error `json:"error"`
}

// errBadFrame marks a frame that could not be understood; too many of them
// close the connection.
var errBadFrame = errors.New("bad frame")

// answer carries out one frame and queues the reply.
func (s *sockets) answer(ctx context.Context, c *conn, messageType int, data []byte) error {
	began := time.Now()
	frame, err := decodeFrame(messageType, data)
	op, known := s.ops[frame.Op]
	if !known {
		op = s.noOp
	}
	ctx, span := s.tracer.Start(telemetry.WithRequest(ctx, c.requestID()), op.span, asServer)
	defer span.End()
	var f *fault.Error
	bad := err != nil
	switch {
	case bad:
		f = s.refuse(ctx, c, frame, err)
	case frame.Op == contract.OpAuth:
		f = s.authenticate(ctx, c, frame)
	default:
		f = s.carryOut(ctx, c, op, frame)
		bad = f != nil && errors.Is(f, errBadFrame)
	}
	op.metrics.ended(f, time.Since(began), span.SpanContext())
	failed(span, f)
	if bad {
		return errBadFrame
	}
	return nil
}

// asServer is the kind of spans that begin with what a client asks.
var asServer = trace.WithSpanKind(trace.SpanKindServer)

// failed tells a span what the client was refused with, if it was.
func failed(span trace.Span, f *fault.Error) {
	if f != nil && span.IsRecording() {
		span.SetStatus(codes.Error, string(f.Code))
		span.SetAttributes(attribute.String("error.type", string(f.Code)))
	}
}

// refuse queues the reply to a frame that was not carried out.
func (s *sockets) refuse(ctx context.Context, c *conn, frame contract.Frame, err error) *fault.Error {
	f := s.fault(ctx, frame.Op, err)
	c.reply(refusal{ID: frame.ID, Op: contract.OpError, Error: f})
	return f
}

// operation is one op that a connection may ask.
type operation struct {
	// do returns the reply's data; nil is for auth, which comes before there
	// is a caller.
	do      func(ctx context.Context, caller contract.Caller, data []byte) (any, error)
	span    string
	metrics *opMetrics
}

// operations are the ops, and what stands for all that is none.
func (s *sockets) operations(m *frameMetrics) (ops map[contract.Op]*operation, noOp *operation) {
	ops = map[contract.Op]*operation{
		contract.OpAuth:          {},
		contract.OpMessageSend:   {do: s.send},
		contract.OpMessagesGet:   {do: s.get},
		contract.OpMessageRemove: {do: s.atSeq(contract.RemoveMessage)},
		contract.OpReadSet:       {do: s.atSeq(contract.SetRead)},
		contract.OpPing: {do: func(context.Context, contract.Caller, []byte) (any, error) {
			return contract.Empty{}, nil
		}},
	}
	for name, op := range ops {
		op.span, op.metrics = "frame "+string(name), m.of(name)
	}
	return ops, &operation{span: "frame " + unmatched, metrics: m.of(unmatched), do: func(context.Context, contract.Caller, []byte) (any, error) {
		return nil, fault.Invalid("op", "is not known").Because(errBadFrame)
	}}
}

// carryOut does what a frame asks, if the connection is authenticated, and
// queues the reply. It returns the fault that was answered, or nil.
func (s *sockets) carryOut(ctx context.Context, c *conn, op *operation, frame contract.Frame) *fault.Error {
	claims, ok := c.identity()
	if !ok {
		return s.refuse(ctx, c, frame, fault.New(fault.Unauthenticated, "send auth first"))
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.CallTimeout)
	defer cancel()
	reply, err := op.do(ctx, contract.Caller{UserID: claims.UserID, SessionID: claims.SessionID}, frame.Data)
	if err != nil {
		return s.refuse(ctx, c, frame, err)
	}
	c.reply(ack{ID: frame.ID, Op: contract.OpOK, Data: reply})
	return nil
}

// atSeq calls a method about one message.
func (s *sockets) atSeq(m contract.Method[contract.MessageRequest, contract.Empty]) func(context.Context, contract.Caller, []byte) (any, error) {
	return func(ctx context.Context, caller contract.Caller, data []byte) (any, error) {
		var d contract.SeqData
		if err := decodeData(data, &d); err != nil {
			return nil, err
		}
		if err := checkRoomID(d.RoomID); err != nil {
			return nil, err
		}
		if err := s.allowCall(ctx, caller.UserID); err != nil {
			return nil, err
		}
		return rpc.Call(ctx, s.calls, m, contract.MessageRequest{Caller: caller, RoomID: d.RoomID, Seq: d.Seq}, s.replica(d.RoomID)...)
	}
}

func (s *sockets) send(ctx context.Context, caller contract.Caller, data []byte) (any, error) {
	var d contract.SendData
	if err := decodeData(data, &d); err != nil {
		return nil, err
	}
	if err := checkRoomID(d.RoomID); err != nil {
		return nil, err
	}
	if err := s.allowSend(ctx, caller.UserID); err != nil {
		return nil, err
	}
	return rpc.CallRaw(ctx, s.calls, contract.SendMessage, contract.SendRequest{
		Caller: caller, RoomID: d.RoomID, ClientID: d.ClientID, Type: d.Type, Content: d.Content,
	}, s.replica(d.RoomID)...)
}

func (s *sockets) get(ctx context.Context, caller contract.Caller, data []byte) (any, error) {
	var d contract.GetData
	if err := decodeData(data, &d); err != nil {
		return nil, err
	}
	if err := checkRoomID(d.RoomID); err != nil {
		return nil, err
	}
	if err := s.allowCall(ctx, caller.UserID); err != nil {
		return nil, err
	}
	req := contract.HistoryRequest{Caller: caller, RoomID: d.RoomID, AfterSeq: d.AfterSeq, BeforeSeq: d.BeforeSeq, Limit: d.Limit}
	page, err := rpc.Call(ctx, s.calls, contract.GetMessages, req, s.replica(d.RoomID)...)
	s.repairs.read(req, page)
	return page, err
}

func decodeFrame(messageType int, data []byte) (contract.Frame, error) {
	var frame contract.Frame
	if messageType != websocket.TextMessage {
		return frame, fault.New(fault.InvalidArgument, "frames are text")
	}
	if err := payload.Decode(data, &frame); err != nil {
		// The id is echoed if it can be read: otherwise the client could not tell
		// which of its frames was refused.
		frame = contract.Frame{ID: payload.Member(data, "id", maxFrameID)}
		var malformed *payload.MalformedError
		if errors.As(err, &malformed) {
			malformed.Field = strings.TrimPrefix(malformed.Field, "data.") // as decodeData names members
		}
		return frame, asFault(err, fault.New(fault.InvalidArgument, "the frame is not an object of id, op and data"))
	}
	if utf8.RuneCountInString(frame.ID) > maxFrameID {
		return contract.Frame{}, fault.Invalid("id", "is longer than 64 characters")
	}
	return frame, nil
}

// decodeData reads a frame's data, naming the field that is of a wrong type.
func decodeData(data []byte, into any) error {
	if len(data) == 0 {
		return fault.Invalid("data", "is missing")
	}
	err := payload.Decode(data, into)
	if err == nil {
		return nil
	}
	return asFault(err, fault.Invalid("data", "is not an object")).Because(errBadFrame)
}

// checkRoomID keeps an unsafe id from going further; no room has one.
func checkRoomID(roomID string) error {
	if roomID == "" {
		return fault.Invalid("room_id", "is missing")
	}
	if !contract.ValidID(roomID) {
		return fault.New(fault.NotFound, "there is no such room")
	}
	return nil
}
