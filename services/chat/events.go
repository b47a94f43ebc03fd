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
func (p *pushes) Message(m contract.Message) { bus.Push(p.Pusher, contract.MessagePushed, m.RoomID, m) }

// Head tells where a room's log ends.
func (p *pushes) Head(roomID string, lastSeq int64) {
	bus.Push(p.Pusher, contract.RoomHeadPushed, roomID, contract.RoomHeadData{RoomID: roomID, LastSeq: lastSeq})
}

// Removed tells of a tombstone.
func (p *pushes) Removed(d contract.MessageRemovedData) {
	bus.Push(p.Pusher, contract.MessageRemovedPushed, d.RoomID, d)
}

// Read tells how far a member has read.
func (p *pushes) Read(d contract.RoomReadData) {
	bus.Push(p.Pusher, contract.RoomReadPushed, d.RoomID, d)
}

// watchMemberships keeps what is known of memberships fresh: social's pushes
// to rooms come at once, its events even if it died in between. hooks must be
// those of the connection. The subscriptions end with the connection.
func watchMemberships(nc *nats.Conn, hooks *bus.Hooks, members *Memberships, log *slog.Logger) error {
	subjects := []string{contract.EventSubjects(contract.Social)}
	for _, op := range contract.MembershipOps() {
		subjects = append(subjects, contract.EveryRoom(op))
	}
	mine := make(map[*nats.Subscription]bool, len(subjects))
	for _, subject := range subjects {
		// Its goroutine is the connection's; what waits for it is bounded by
		// nats.go, which tells hooks when it drops.
		sub, err := nc.Subscribe(subject, func(msg *nats.Msg) { roomChanged(members, msg, log) })
		if err != nil {
			return fmt.Errorf("subscribe %s: %w", subject, err)
		}
		mine[sub] = true
	}
	hooks.OnReconnect(members.DropAll)
	hooks.OnDropped(func(sub *nats.Subscription) {
		if mine[sub] {
			members.DropAll()
		}
	})
	// From here on no change goes unheard.
	if err := nc.Flush(); err != nil {
		return fmt.Errorf("subscribe to memberships: %w", err)
	}
	return nil
}

// roomChanged reads the two fields that all pushes and events about rooms
// have at the same place.
func roomChanged(members *Memberships, msg *nats.Msg, log *slog.Logger) {
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

// neighbours asks the service that owns memberships.
type neighbours struct{ calls *rpc.Client }

// membership is an AskMembership.
func (n *neighbours) membership(ctx context.Context, roomID, userID string) (contract.MembershipReply, error) {
	return rpc.Call(ctx, n.calls, contract.GetMembership, contract.MembershipRequest{RoomID: roomID, UserID: userID})
}

// memberships is a ListMemberships.
func (n *neighbours) memberships(ctx context.Context, userID string) ([]contract.Membership, error) {
	reply, err := rpc.Call(ctx, n.calls, contract.ListMemberships, contract.MembershipsRequest{UserID: userID})
	return reply.Items, err
}
