package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"unicode/utf8"

	"github.com/fasthttp/websocket"
	"go.opentelemetry.io/otel/trace"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/rpc"
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
	frame, err := decodeFrame(messageType, data)
	if err != nil {
		c.reply(refusal{ID: frame.ID, Op: contract.OpError, Error: fault.From(err)})
		return errBadFrame
	}
	if frame.Op == contract.OpAuth {
		s.authenticate(ctx, c, frame)
		return nil
	}
	claims, ok := c.identity()
	if !ok {
		c.reply(refusal{ID: frame.ID, Op: contract.OpError, Error: fault.New(fault.Unauthenticated, "send auth first")})
		return nil
	}
	caller := contract.Caller{UserID: claims.UserID, SessionID: claims.SessionID}
	reply, err := s.carryOut(ctx, caller, frame)
	if err != nil {
		c.reply(refusal{ID: frame.ID, Op: contract.OpError, Error: s.fault(ctx, frame.Op, err)})
		if errors.Is(err, errBadFrame) {
			return errBadFrame
		}
		return nil
	}
	c.reply(ack{ID: frame.ID, Op: contract.OpOK, Data: reply})
	return nil
}

// operation is what one op does with its data; the result is the reply's.
type operation func(ctx context.Context, caller contract.Caller, data []byte) (any, error)

// operations are what an authenticated connection may ask.
func (s *sockets) operations() map[contract.Op]operation {
	return map[contract.Op]operation{
		contract.OpMessageSend:   s.send,
		contract.OpMessagesGet:   s.get,
		contract.OpMessageRemove: s.atSeq(contract.RemoveMessage),
		contract.OpReadSet:       s.atSeq(contract.SetRead),
		contract.OpPing: func(context.Context, contract.Caller, []byte) (any, error) {
			return contract.Empty{}, nil
		},
	}
}

// carryOut does what a frame asks and returns the data of its reply.
func (s *sockets) carryOut(ctx context.Context, caller contract.Caller, frame contract.Frame) (any, error) {
	do, ok := s.ops[frame.Op]
	if !ok {
		return nil, fault.Invalid("op", "is not known").Because(errBadFrame)
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.CallTimeout)
	defer cancel()
	ctx, span := s.tracer.Start(ctx, "frame "+string(frame.Op), trace.WithSpanKind(trace.SpanKindServer))
	defer span.End()
	return do(ctx, caller, frame.Data)
}

// atSeq calls a method about one message.
func (s *sockets) atSeq(m contract.Method[contract.MessageRequest, contract.Empty]) operation {
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
		return rpc.Call(ctx, s.calls, m, contract.MessageRequest{Caller: caller, RoomID: d.RoomID, Seq: d.Seq})
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
	return rpc.Call(ctx, s.calls, contract.SendMessage, contract.SendRequest{
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
	return rpc.Call(ctx, s.calls, contract.GetMessages, contract.HistoryRequest{
		Caller: caller, RoomID: d.RoomID, AfterSeq: d.AfterSeq, BeforeSeq: d.BeforeSeq, Limit: d.Limit,
	}, s.replica(d.RoomID)...)
}

func decodeFrame(messageType int, data []byte) (contract.Frame, error) {
	var frame contract.Frame
	if messageType != websocket.TextMessage {
		return frame, fault.New(fault.InvalidArgument, "frames are text")
	}
	if !utf8.Valid(data) {
		return frame, fault.New(fault.InvalidArgument, "the frame is not UTF-8")
	}
	if err := json.Unmarshal(data, &frame); err != nil {
		return contract.Frame{}, fault.New(fault.InvalidArgument, "the frame is not an object of id, op and data").Because(err)
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
	err := json.Unmarshal(data, into)
	var wrongType *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrongType) && wrongType.Field != "":
		return fault.Invalid(wrongType.Field, "is a "+wrongType.Value).Because(errBadFrame)
	default:
		return fault.Invalid("data", "is not an object").Because(errBadFrame)
	}
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
