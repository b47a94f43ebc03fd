package gateway

import (
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
)

func (a *api) listMessages(r *request) (answer, error) {
	roomID, err := r.roomID()
	if err != nil {
		return answer{}, err
	}
	req := contract.HistoryRequest{Caller: r.caller, RoomID: roomID}
	if err := r.history(&req); err != nil {
		return answer{}, err
	}
	page, err := ask(r.ctx, a, contract.GetMessages, req, a.replica(roomID)...)
	if err != nil {
		return answer{}, err
	}
	a.repairs.read(req, page)
	if page.Items == nil {
		page.Items = []contract.Message{}
	}
	return ok200(page), nil
}

// messageBody is a message to send.
type messageBody struct {
	ClientID string               `json:"client_id"`
	Type     contract.MessageType `json:"type"`
	Content  contract.Content     `json:"content"`
}

func (a *api) sendMessage(r *request) (answer, error) {
	roomID, err := r.roomID()
	if err != nil {
		return answer{}, err
	}
	var body messageBody
	if err := r.decode(&body); err != nil {
		return answer{}, err
	}
	sent, err := ask(r.ctx, a, contract.SendMessage, contract.SendRequest{
		Caller: r.caller, RoomID: roomID, ClientID: body.ClientID, Type: body.Type, Content: body.Content,
	}, a.replica(roomID)...)
	if err != nil {
		return answer{}, err
	}
	message := contract.Message{
		ID: sent.ID, RoomID: roomID, Seq: sent.Seq, ClientID: body.ClientID, SenderID: r.caller.UserID,
		Type: body.Type, Content: body.Content, SentAt: sent.SentAt,
	}
	if sent.Duplicate {
		return a.sentBefore(r, message)
	}
	return created201(message), nil
}

// sentBefore answers a repeated send with the message as it is now: it may
// have been removed since. A sender who left the room and joined again may not
// read it any more, and gets what was sent.
func (a *api) sentBefore(r *request, sent contract.Message) (answer, error) {
	after := sent.Seq - 1
	page, err := ask(r.ctx, a, contract.GetMessages, contract.HistoryRequest{
		Caller: r.caller, RoomID: sent.RoomID, AfterSeq: &after, Limit: 1,
	}, a.replica(sent.RoomID)...)
	if err != nil {
		return answer{}, err
	}
	if len(page.Items) > 0 && page.Items[0].Seq == sent.Seq {
		sent = page.Items[0]
	}
	return ok200(sent), nil
}

func (a *api) removeMessage(r *request) (answer, error) {
	roomID, err := r.roomID()
	if err != nil {
		return answer{}, err
	}
	seq, err := r.pathSeq()
	if err != nil {
		return answer{}, err
	}
	return done(ask(r.ctx, a, contract.RemoveMessage, contract.MessageRequest{Caller: r.caller, RoomID: roomID, Seq: seq}))
}

// readBody is how far the user has read; nil: it is missing.
type readBody struct {
	Seq *int64 `json:"seq"`
}

func (a *api) setRead(r *request) (answer, error) {
	roomID, err := r.roomID()
	if err != nil {
		return answer{}, err
	}
	var body readBody
	if err := r.decode(&body); err != nil {
		return answer{}, err
	}
	if body.Seq == nil {
		return answer{}, fault.Invalid("seq", "is missing")
	}
	return done(ask(r.ctx, a, contract.SetRead, contract.MessageRequest{Caller: r.caller, RoomID: roomID, Seq: *body.Seq}, a.replica(roomID)...))
}
