package chat

import (
	"context"
	"fmt"
	"time"

	"github.com/parley-im/parley/pkg/audit"
	"github.com/parley-im/parley/pkg/clock"
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
	case now.Sub(msg.SentAt.Time) > within, !clock.Believable(msg.SentAt.Time, now):
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
		if msg, err = r.bury(ctx, at, user); err != nil {
			return contract.MessageRemovedData{}, err
		}
	}
	return r.forget(msg), nil
}

// Force is Remove for an admin, who may remove any message at any time.
func (r *Remover) Force(ctx context.Context, req contract.AdminMessageRequest) (contract.MessageRemovedData, error) {
	at := Place{RoomID: req.RoomID, Seq: req.Seq}
	msg, err := r.read(ctx, at)
	if err != nil {
		return contract.MessageRemovedData{}, err
	}
	if msg.RemovedAt == nil {
		about := contract.AuditEvent{RoomID: at.RoomID, Seq: at.Seq, UserID: msg.SenderID}
		e, err := audit.Event(contract.ChatAudit, req.Act, contract.ForceRemove.Name, at.RoomID, about, r.now())
		if err != nil {
			return contract.MessageRemovedData{}, err
		}
		if msg, err = r.bury(ctx, at, contract.RemovedByAdmin, e); err != nil {
			return contract.MessageRemovedData{}, err
		}
	}
	return r.forget(msg), nil
}

// forget has memory show the tombstone, and says what is to be told of it.
func (r *Remover) forget(msg Record) contract.MessageRemovedData {
	removed := removedData(msg)
	r.memory.Removed(Place{RoomID: msg.RoomID, Seq: msg.Seq}, removed.RemovedBy, removed.RemovedAt)
	return removed
}

// bury replaces the message in the store, together with the event that tells
// it, and more, and returns what stands there now. After an error it may be
// replaced nevertheless.
func (r *Remover) bury(ctx context.Context, at Place, by string, more ...contract.Event) (Record, error) {
	removal := Removal{Place: at, By: by, At: contract.NewTime(r.now())}
	e, err := tombstoned(removal)
	if err != nil {
		return Record{}, err
	}
	removal.Events = append([]contract.Event{e}, more...)
	if _, err := r.store.Remove(ctx, removal); err != nil {
		r.memory.Doubt(at)
		return Record{}, err
	}
	// Of two who remove it at the same time one was faster: theirs is told.
	msg, err := r.read(ctx, at)
	if err != nil {
		r.memory.Doubt(at)
	}
	return msg, err
}

// tombstoned is the event that tells of a removal.
func tombstoned(r Removal) (contract.Event, error) {
	return contract.MessageTombstoned.New(id.New(), r.RoomID, r.At.Time, contract.MessageEvent{RoomID: r.RoomID, Seq: r.Seq, By: r.By})
}

// visible reads a message that the member may read.
func (r *Remover) visible(ctx context.Context, m contract.Membership, at Place) (Record, error) {
	if at.Seq < m.FirstSeq {
		return Record{}, errNoMessage
	}
	return r.read(ctx, at)
}

func (r *Remover) read(ctx context.Context, at Place) (Record, error) {
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
