package gateway

import (
	"bytes"
	"context"
	"log/slog"

	"github.com/fasthttp/websocket"
	"github.com/nats-io/nats.go"

	"github.com/parley-im/parley/pkg/contract"
)

// roomPush delivers one push of a room to its members here.
func (h *hub) roomPush(s *roomShard, m *nats.Msg) {
	roomID, op, ok := contract.ParseRoomSubject(m.Subject)
	if !ok || !isFrame(op, m.Data) {
		return
	}
	o, err := share(m.Data)
	if err != nil {
		h.log.Error("prepare frame", slog.String("op", string(op)), slog.Any("error", err))
		return
	}
	s.push(roomID, o)
	h.membership(s, roomID, op, m.Data)
}

// membership keeps who is in a room in step with what its pushes say. The
// push itself has been queued for those who leave, too.
func (h *hub) membership(s *roomShard, roomID string, op contract.Op, frame []byte) {
	switch op {
	case contract.MemberLeft.Op:
		left, err := contract.MemberLeft.Decode(frame)
		if err != nil {
			return
		}
		s.saw(roomID, left.Rev)
		for _, c := range h.users.conns(left.UserID) {
			h.leave(c, roomID)
		}
	case contract.RoomDisbanded.Op:
		for _, c := range s.conns(roomID) {
			h.leave(c, roomID)
		}
	case contract.MemberJoined.Op:
		if joined, err := contract.MemberJoined.Decode(frame); err == nil {
			s.saw(roomID, joined.Rev)
		}
	case contract.RoomUpdated.Op:
		if updated, err := contract.RoomUpdated.Decode(frame); err == nil {
			s.saw(roomID, updated.Rev)
		}
	}
}

// userPush delivers one push of a user to their connections here. A room that
// is new to them is joined first, so that it is live when they hear of it.
func (h *hub) userPush(m *nats.Msg) {
	userID, op, ok := contract.ParseUserSubject(m.Subject)
	if !ok || !isFrame(op, m.Data) {
		return
	}
	o, err := share(m.Data)
	if err != nil {
		h.log.Error("prepare frame", slog.String("op", string(op)), slog.Any("error", err))
		return
	}
	roomID := newRoom(op, m.Data)
	for _, c := range h.users.conns(userID) {
		if roomID != "" {
			if _, err := h.join(context.Background(), c, roomID); err != nil {
				h.log.Warn("join a new room", slog.Any("error", err))
				h.resync(userID) // the room is announced once it could be joined
				continue
			}
		}
		c.push(o)
	}
}

// newRoom is the room that a user's push opens to them, or none.
func newRoom(op contract.Op, frame []byte) string {
	switch op {
	case contract.RoomCreated.Op:
		if created, err := contract.RoomCreated.Decode(frame); err == nil {
			return created.Room.ID
		}
	case contract.FriendAdded.Op:
		if added, err := contract.FriendAdded.Decode(frame); err == nil {
			return added.RoomID
		}
	}
	return ""
}

// announce pushes a room's head to all its members here when it is news.
func (h *hub) announce(roomID string, head int64) {
	s := h.shard(roomID)
	if !s.ahead(roomID, head) {
		return
	}
	frame, err := contract.RoomHeadPushed.Encode(contract.RoomHeadData{RoomID: roomID, LastSeq: head})
	if err != nil {
		h.log.Error("encode head", slog.Any("error", err))
		return
	}
	if o, err := share(frame); err == nil {
		s.push(roomID, o)
	}
}

// share prepares a frame once for all who get it.
func share(frame []byte) (outgoing, error) {
	prepared, err := websocket.NewPreparedMessage(websocket.TextMessage, frame)
	return outgoing{shared: prepared, size: len(frame)}, err
}

// isFrame reports whether the payload begins as a push of that op does. A
// service's user may answer wherever a request's reply subject points, so a
// subject alone does not make its payload a frame.
func isFrame(op contract.Op, payload []byte) bool {
	rest, ok := bytes.CutPrefix(payload, []byte(`{"op":"`))
	if !ok {
		return false
	}
	rest, ok = bytes.CutPrefix(rest, []byte(op))
	return ok && bytes.HasPrefix(rest, []byte(`","data":`))
}
