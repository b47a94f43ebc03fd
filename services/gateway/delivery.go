package gateway

import (
	"bytes"
	"context"
	"log/slog"
	"math"
	"runtime"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-im/parley/pkg/contract"
)

// burst bounds how many pushes of a shard are queued before the first is
// written.
const burst = 64

// deliverRooms delivers a shard's pushes until ctx ends. What has come together,
// as from one commit of chat, is queued for all connections before any is
// written, so that several pushes leave a connection in one write. Nothing is
// waited for: when no more is there, it is written.
func (h *hub) deliverRooms(ctx context.Context, s *roomShard) {
	var starts []*conn // of the last burst; no longer than there are connections
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-s.pushes:
			starts = h.roomBurst(s, m, starts[:0])
		}
	}
}

// roomBurst delivers a push and what has come by then. Given is an empty list,
// which is returned to be used again.
func (h *hub) roomBurst(s *roomShard, m *nats.Msg, starts []*conn) []*conn {
	for n := 1; ; n++ {
		starts = h.roomPush(s, m, starts)
		if n == burst {
			break
		}
		select {
		case m = <-s.pushes:
			continue
		default:
		}
		break
	}
	for _, c := range starts {
		c.startIf(true)
	}
	if len(starts) > 0 {
		// The writers go first; what comes meanwhile is the next burst.
		runtime.Gosched()
	}
	clear(starts)
	return starts
}

// roomPush queues one push of a room for its members here, and appends those
// whose writers must be started.
func (h *hub) roomPush(s *roomShard, m *nats.Msg, starts []*conn) []*conn {
	roomID, op, ok := contract.ParseRoomSubject(m.Subject)
	if !ok || !isFrame(op, m.Data) {
		return starts
	}
	o := h.share(m, op, contract.EveryRoom)
	var except []*conn
	if op == contract.MemberLeft.Op {
		except = h.departed(s, roomID, m.Data)
	}
	starts = s.offer(roomID, o, except, starts)
	o.trail.left()
	h.membership(s, roomID, op, m.Data)
	return starts
}

// departed notes who left the room, so that older pushes and lists do not bring
// them back, and returns the connections of a user who has been added again:
// they do not hear of the departure.
func (h *hub) departed(s *roomShard, roomID string, frame []byte) []*conn {
	left, err := contract.MemberLeft.Decode(frame)
	if err != nil {
		return nil
	}
	s.depart(roomID, left.UserID, left.Rev)
	return h.rejoined(left.UserID, roomID, left.Rev)
}

// membership keeps who is in a room, and which head they were told, in step
// with what its pushes say. The push itself has been queued for those who
// leave, too. Messages are not read: chat pushes the head of a room that falls
// quiet, and one more frame a minute is nothing to a room that never does.
func (h *hub) membership(s *roomShard, roomID string, op contract.Op, frame []byte) {
	switch op {
	case contract.MemberLeft.Op:
		left, err := contract.MemberLeft.Decode(frame)
		if err != nil {
			return
		}
		for _, c := range h.users.conns(left.UserID) {
			h.leave(c, roomID, left.Rev)
		}
	case contract.RoomDisbanded.Op:
		disbanded, err := contract.RoomDisbanded.Decode(frame)
		if err != nil {
			return
		}
		s.depart(roomID, "", disbanded.Rev)
		for _, c := range s.conns(roomID) {
			h.leave(c, roomID, math.MaxInt64)
		}
	case contract.RoomHeadPushed.Op:
		if head, err := contract.RoomHeadPushed.Decode(frame); err == nil {
			s.ahead(roomID, head.LastSeq) // told to all here: no news any more
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

// deliverUsers delivers users' pushes until ctx ends.
func (h *hub) deliverUsers(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-h.users.pushes:
			h.userPush(m)
		}
	}
}

// userPush delivers one push of a user to their connections here. A room that
// is new to them is joined first, so that it is live when they hear of it. They
// do not hear of one that they are known to have left since. If the room is new
// to this gateway, their leaving may have passed before it listened: then their
// rooms are read again.
func (h *hub) userPush(m *nats.Msg) {
	userID, op, ok := contract.ParseUserSubject(m.Subject)
	if !ok || !isFrame(op, m.Data) {
		return
	}
	o := h.share(m, op, contract.EveryUser)
	defer o.trail.left()
	opened := newRoom(op, m.Data)
	for _, c := range h.users.conns(userID) {
		if opened.id != "" {
			fresh, err := h.join(context.Background(), c, opened)
			if err != nil {
				h.log.Warn("join a new room", slog.Any("error", err))
			}
			if err != nil || fresh > 0 {
				h.resync(userID) // after an error the room is announced once it could be joined
			}
			if _, in := c.in(opened.id); err != nil || !in {
				continue
			}
		}
		o.trail.given()
		c.push(o)
	}
}

// newRoom is the room that a user's push opens to them, or none.
func newRoom(op contract.Op, frame []byte) roomRev {
	switch op {
	case contract.RoomCreated.Op:
		if created, err := contract.RoomCreated.Decode(frame); err == nil {
			return roomRev{created.Room.ID, created.Rev}
		}
	case contract.FriendAdded.Op:
		if added, err := contract.FriendAdded.Decode(frame); err == nil {
			return roomRev{added.RoomID, added.Rev}
		}
	}
	return roomRev{}
}

// announce pushes a room's head to all its members here when it is news.
func (h *hub) announce(roomID string, head int64) {
	s := h.shard(roomID)
	if !s.ahead(roomID, head) {
		return
	}
	if o, ok := h.headFrame(roomID, head); ok {
		h.metrics.heads.Inc()
		s.push(roomID, o)
	}
}

// introduce pushes to a connection the heads of rooms that it is in since a
// list of them was asked for: nobody may have told it of the room, whose head
// may be no news to others here. One that is not ready gets them with the
// answer to its authentication.
func (h *hub) introduce(c *conn, before map[string]int64, rooms []contract.RoomHeadRev) {
	if !c.queue.ready() {
		return
	}
	for _, room := range rooms {
		_, was := before[room.ID]
		if _, is := c.in(room.ID); was || !is {
			continue
		}
		if o, ok := h.headFrame(room.ID, room.LastSeq); ok {
			c.push(o)
		}
	}
}

// headFrame is a room's head as a frame.
func (h *hub) headFrame(roomID string, head int64) (*outgoing, bool) {
	frame, err := contract.RoomHeadPushed.Encode(contract.RoomHeadData{RoomID: roomID, LastSeq: head})
	if err != nil {
		h.log.Error("encode head", slog.Any("error", err))
		return nil, false
	}
	return &outgoing{wire: wireFrame(wireText, frame), size: len(frame)}, true
}

// share makes a push's frame once for all who get it. When they have been given
// it, its trail has to be left.
func (h *hub) share(m *nats.Msg, op contract.Op, every func(contract.Op) string) *outgoing {
	h.metrics.arrived(op)
	now := time.Now()
	return &outgoing{
		wire: wireFrame(wireText, m.Data), size: len(m.Data),
		arrived: now.Sub(started), age: messageAge(op, m.Data, now), trail: h.newTrail(m, op, every),
	}
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
