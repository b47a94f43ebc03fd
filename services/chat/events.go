package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/nats-io/nats.go"

	"github.com/parley-im/parley/pkg/bus"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/rpc"
)

// pushes tells members of rooms what happens in them. What does not get
// through is repaired by seq.
type pushes struct{ *bus.Pusher }

// Message tells of a new message.
func (p *pushes) Message(ctx context.Context, m contract.Message) {
	bus.Push(ctx, p.Pusher, contract.MessagePushed, m.RoomID, m)
}

// Head tells where a room's log ends. That is nobody's act.
func (p *pushes) Head(roomID string, lastSeq int64) {
	bus.Push(context.Background(), p.Pusher, contract.RoomHeadPushed, roomID, contract.RoomHeadData{RoomID: roomID, LastSeq: lastSeq})
}

// Removed tells of a tombstone.
func (p *pushes) Removed(ctx context.Context, d contract.MessageRemovedData) {
	bus.Push(ctx, p.Pusher, contract.MessageRemovedPushed, d.RoomID, d)
}

// Read tells a room how far a member has read.
func (p *pushes) Read(ctx context.Context, at Position) {
	d := contract.RoomReadData{RoomID: at.RoomID, UserID: at.UserID, Seq: at.Seq}
	bus.Push(ctx, p.Pusher, contract.RoomReadPushed, d.RoomID, d)
}

// Reads tells a room how far members have read.
func (p *pushes) Reads(ctx context.Context, roomID string, reads []Position) {
	d := contract.RoomReadsData{RoomID: roomID, Reads: make([]contract.MemberRead, len(reads))}
	for i, at := range reads {
		d.Reads[i] = contract.MemberRead{UserID: at.UserID, Seq: at.Seq}
	}
	bus.Push(ctx, p.Pusher, contract.RoomReadsPushed, roomID, d)
}

// ReadByThemselves tells a user's devices how far they have read.
func (p *pushes) ReadByThemselves(ctx context.Context, at Position) {
	d := contract.RoomReadData{RoomID: at.RoomID, UserID: at.UserID, Seq: at.Seq}
	bus.Push(ctx, p.Pusher, contract.OwnReadPushed, d.UserID, d)
}

// watchMemberships keeps what is known of memberships fresh: social's pushes
// to rooms come at once, its events even if it died in between.
func watchMemberships(nc *nats.Conn, hooks *bus.Hooks, members *Memberships, log *slog.Logger) error {
	subjects := []string{contract.EventSubjects(contract.Social)}
	for _, op := range contract.MembershipOps() {
		subjects = append(subjects, contract.EveryRoom(op))
	}
	return watch(nc, hooks, subjects, func(msg *nats.Msg) { roomChanged(members, msg, log) }, members.DropAll)
}

// watchRemovals keeps remembered messages from outliving their removal: of
// this replica's removals and of others', the push comes at once, the event
// even if whoever removed died in between.
func watchRemovals(nc *nats.Conn, hooks *bus.Hooks, memory *Memory, log *slog.Logger) error {
	subjects := []string{contract.EveryRoom(contract.MessageRemovedPushed.Op), contract.MessageTombstoned.Subject()}
	return watch(nc, hooks, subjects, func(msg *nats.Msg) { messageRemoved(memory, msg, log) }, memory.DropAll)
}

// watch hears what is published on the subjects, and has everything dropped
// that may have become wrong unheard. hooks must be those of the connection,
// with which the subscriptions end.
func watch(nc *nats.Conn, hooks *bus.Hooks, subjects []string, hear nats.MsgHandler, dropAll func()) error {
	mine := make(map[*nats.Subscription]bool, len(subjects))
	for _, subject := range subjects {
		// Its goroutine is the connection's; what waits for it is bounded by
		// nats.go, which tells hooks when it drops.
		sub, err := nc.Subscribe(subject, hear)
		if err != nil {
			return fmt.Errorf("subscribe %s: %w", subject, err)
		}
		mine[sub] = true
	}
	hooks.OnReconnect(dropAll)
	hooks.OnDropped(func(sub *nats.Subscription) {
		if mine[sub] {
			dropAll()
		}
	})
	// From here on nothing goes unheard.
	if err := nc.Flush(); err != nil {
		return fmt.Errorf("subscribe %s: %w", subjects[0], err)
	}
	return nil
}

// roomChanged reads the two fields that all pushes and events about rooms
// have at the same place.
func roomChanged(members *Memberships, msg *nats.Msg, log *slog.Logger) {
	if msg.Subject == contract.SocialAudit.Subject() {
		return // what admins change has an event of its own
	}
	var change struct {
		Data struct {
			RoomID string `json:"room_id"`
			Rev    int64  `json:"rev"`
		} `json:"data"`
	}
	if err := json.Unmarshal(msg.Data, &change); err != nil || change.Data.RoomID == "" || change.Data.Rev == 0 {
		log.Warn("change of a room not understood", "subject", msg.Subject, "err", err)
		members.DropAll()
		return
	}
	members.Changed(change.Data.RoomID, change.Data.Rev)
}

// messageRemoved reads a push or an event.
func messageRemoved(memory *Memory, msg *nats.Msg, log *slog.Logger) {
	var d contract.MessageRemovedData
	var err error
	if msg.Subject == contract.MessageTombstoned.Subject() {
		var e contract.EventBody[contract.MessageEvent]
		e, err = contract.MessageTombstoned.Decode(msg.Data)
		d = contract.MessageRemovedData{RoomID: e.Data.RoomID, Seq: e.Data.Seq, RemovedBy: e.Data.By, RemovedAt: e.At}
	} else {
		d, err = contract.MessageRemovedPushed.Decode(msg.Data)
	}
	if err != nil || d.RoomID == "" || d.Seq == 0 {
		log.Warn("removal not understood", "subject", msg.Subject, "err", err)
		memory.DropAll()
		return
	}
	memory.Removed(Place{RoomID: d.RoomID, Seq: d.Seq}, d.RemovedBy, d.RemovedAt)
}

// neighbours asks the service that owns memberships.
type neighbours struct{ calls *rpc.Client }

// membership is an AskMembership.
func (n *neighbours) membership(ctx context.Context, roomID, userID string) (contract.MembershipReply, error) {
	return rpc.Call(ctx, n.calls, contract.GetMembership, contract.MembershipRequest{RoomID: roomID, UserID: userID})
}

// memberships is a ListMemberships.
func (n *neighbours) memberships(ctx context.Context, req contract.MembershipsRequest) (page []contract.Membership, next string, err error) {
	reply, err := rpc.Call(ctx, n.calls, contract.ListMemberships, req)
	if err != nil {
		return nil, "", err
	}
	page, err = reply.Rows()
	return page, reply.NextCursor, err
}
