package chat

import (
	"context"
	"fmt"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/id"
)

// checkPlace refuses a request that cannot name a message.
func checkPlace(req contract.MessageRequest, least int64) error {
	var check fault.Check
	checkCaller(&check, req.Caller)
	checkRoom(&check, req.RoomID)
	check.That(req.Seq >= least, "seq", fmt.Sprintf("must be at least %d", least))
	return check.Err()
}

// mayRemove refuses whoever may not remove the message: its sender may for a
// while, and the owner and admins of a group always.
func mayRemove(m contract.Membership, msg contract.Message, userID string, now time.Time, within time.Duration) error {
	if m.Type == contract.RoomGroup && (m.Role == contract.RoleOwner || m.Role == contract.RoleAdmin) {
		return nil
	}
	switch {
	case msg.SenderID != userID:
		return fault.New(fault.PermissionDenied, "only its sender, the owner and admins may remove a message")
	case now.Sub(msg.SentAt.Time) > within:
		return fault.Newf(fault.FailedPrecondition, "a message may be removed for %s after it was sent", within)
	default:
		return nil
	}
}

// Remover replaces messages by tombstones.
type Remover struct {
	store   Store
	memory  *Memory
	members *Memberships
	within  time.Duration // how long senders may remove their own
	now     func() time.Time
}

// Remove puts a tombstone in a message's place, also where it is remembered,
// and returns it. A message that was removed before stays as it is, and that
// is no error.
func (r *Remover) Remove(ctx context.Context, req contract.MessageRequest) (contract.MessageRemovedData, error) {
	user, at := req.Caller.UserID, Place{RoomID: req.RoomID, Seq: req.Seq}
	member, err := r.members.Member(ctx, at.RoomID, user, nil)
	if err != nil {
		return contract.MessageRemovedData{}, err
	}
	msg, err := r.visible(ctx, member, at)
	if err != nil {
		return contract.MessageRemovedData{}, err
	}
	if msg.RemovedAt == nil {
		_, err = r.members.Member(ctx, at.RoomID, user, func(m contract.Membership) error {
			return mayRemove(m, msg.Message, user, r.now(), r.within)
		})
		if err != nil {
			return contract.MessageRemovedData{}, err
		}
		if msg, err = r.bury(ctx, member, at, user); err != nil {
			r.memory.Doubt(at)
			return contract.MessageRemovedData{}, err
		}
	}
	removed := removedData(msg)
	r.memory.Removed(at, removed.RemovedBy, removed.RemovedAt)
	return removed, nil
}

// bury replaces the message in the store, together with the event that tells
// it, and returns what stands there now. After an error it may be replaced
// nevertheless.
func (r *Remover) bury(ctx context.Context, m contract.Membership, at Place, user string) (Record, error) {
	removal := Removal{Place: at, By: user, At: contract.NewTime(r.now())}
	var err error
	removal.Event, err = contract.MessageTombstoned.New(id.New(), at.RoomID, removal.At.Time,
		contract.MessageEvent{RoomID: at.RoomID, Seq: at.Seq, By: user})
	if err != nil {
		return Record{}, err
	}
	if _, err := r.store.Remove(ctx, removal); err != nil {
		return Record{}, err
	}
	// Of two who remove it at the same time one was faster: theirs is told.
	return r.visible(ctx, m, at)
}

// visible reads a message that the member may read.
func (r *Remover) visible(ctx context.Context, m contract.Membership, at Place) (Record, error) {
	if at.Seq < m.FirstSeq {
		return Record{}, errNoMessage
	}
	found, err := r.store.Messages(ctx, []Place{at})
	if err != nil {
		return Record{}, fmt.Errorf("read message: %w", err)
	}
	msg, ok := found[at.RoomID]
	if !ok {
		return Record{}, errNoMessage
	}
	return msg, nil
}

var errNoMessage = fault.New(fault.NotFound, "there is no such message")

func removedData(msg Record) contract.MessageRemovedData {
	data := contract.MessageRemovedData{RoomID: msg.RoomID, Seq: msg.Seq, RemovedBy: msg.RemovedBy}
	if msg.RemovedAt != nil {
		data.RemovedAt = *msg.RemovedAt
	}
	return data
}
