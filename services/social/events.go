package social

import (
	"context"

	"github.com/parley-im/parley/pkg/bus"
	"github.com/parley-im/parley/pkg/contract"
)

// pushes tells people at once what changed. What does not get through is in
// IM_EVENTS, and in what clients read next.
type pushes struct{ *bus.Pusher }

// befriended tells both of their friendship, and of their room if it is new.
func (p *pushes) befriended(ctx context.Context, f Friendship, fresh bool, profiles map[string]contract.Profile) {
	for _, userID := range []string{f.A, f.B} {
		peer := profiles[f.other(userID)]
		if fresh {
			bus.Push(ctx, p.Pusher, contract.RoomCreated, userID, contract.RoomCreatedData{Room: directRoom(f, userID, peer), Rev: f.Rev})
		}
		bus.Push(ctx, p.Pusher, contract.FriendAdded, userID, contract.FriendAddedData{User: peer, RoomID: f.ID, Since: f.Since, Rev: f.Rev})
	}
	p.direct(ctx, f)
}

// unfriended tells both that their friendship has ended.
func (p *pushes) unfriended(ctx context.Context, f Friendship) {
	p.direct(ctx, f)
	for _, userID := range []string{f.A, f.B} {
		bus.Push(ctx, p.Pusher, contract.FriendRemoved, userID, contract.FriendRemovedData{UserID: f.other(userID), RoomID: f.ID, Rev: f.Rev})
	}
}

// direct tells of a direct room's state; chat, too, takes it from here.
func (p *pushes) direct(ctx context.Context, f Friendship) {
	bus.Push(ctx, p.Pusher, contract.RoomUpdated, f.ID, contract.RoomUpdatedData{RoomID: f.ID, Closed: f.State != StateFriends, Rev: f.Rev})
}

// welcome tells each of the members of a room that is new to them.
func (p *pushes) welcome(ctx context.Context, room Room, members []Member) {
	for _, m := range members {
		bus.Push(ctx, p.Pusher, contract.RoomCreated, m.UserID, contract.RoomCreatedData{Room: groupRoom(room, m), Rev: room.Rev})
	}
}

// joined tells a room who joined it.
func (p *pushes) joined(ctx context.Context, room Room, added []Member, by string) {
	data := contract.MemberJoinedData{RoomID: room.ID, By: by, MemberCount: len(room.Members), Rev: room.Rev}
	for _, m := range added {
		data.Members = append(data.Members, m.wire())
	}
	bus.Push(ctx, p.Pusher, contract.MemberJoined, room.ID, data)
}

// left tells a room, and who left, that they did.
func (p *pushes) left(ctx context.Context, room Room, userID, by string, heir *Member) {
	data := contract.MemberLeftData{RoomID: room.ID, UserID: userID, By: by, MemberCount: len(room.Members), Rev: room.Rev}
	if heir != nil {
		data.NewOwnerID = heir.UserID
	}
	bus.Push(ctx, p.Pusher, contract.MemberLeft, room.ID, data)
}

// updated tells a room of its new name.
func (p *pushes) updated(ctx context.Context, room Room) {
	bus.Push(ctx, p.Pusher, contract.RoomUpdated, room.ID, contract.RoomUpdatedData{RoomID: room.ID, Name: room.Name, Rev: room.Rev})
}

// roles tells a room whose role changed.
func (p *pushes) roles(ctx context.Context, room Room, changed []Member) {
	for _, m := range changed {
		wire := m.wire()
		bus.Push(ctx, p.Pusher, contract.RoomUpdated, room.ID, contract.RoomUpdatedData{RoomID: room.ID, Name: room.Name, Member: &wire, Rev: room.Rev})
	}
}

// disbanded tells a room that it has ended.
func (p *pushes) disbanded(ctx context.Context, room Room) {
	bus.Push(ctx, p.Pusher, contract.RoomDisbanded, room.ID, contract.RoomDisbandedData{RoomID: room.ID, Rev: room.Rev})
}

// disabled tells a room that a member is gone, or back.
func (p *pushes) disabled(ctx context.Context, roomID, userID string, is bool) {
	bus.Push(ctx, p.Pusher, contract.UserDisabled, roomID, contract.UserDisabledData{RoomID: roomID, UserID: userID, Disabled: is})
}

// groupRoom is a group as someone who is new to it sees it: they have read all
// that they may not read.
func groupRoom(room Room, m Member) contract.Room {
	return contract.Room{
		ID: room.ID, Type: contract.RoomGroup, Name: room.Name, Role: m.Role, MemberCount: len(room.Members),
		FirstSeq: m.FirstSeq, LastSeq: m.FirstSeq - 1, CreatedAt: room.CreatedAt,
	}
}

func directRoom(f Friendship, userID string, peer contract.Profile) contract.Room {
	info := f.info(userID)
	return contract.Room{
		ID: info.ID, Type: info.Type, Peer: &contract.UserProfile{Profile: peer, IsFriend: !info.Closed}, Role: info.Role,
		Closed: info.Closed, MemberCount: info.MemberCount, FirstSeq: info.FirstSeq, CreatedAt: info.CreatedAt,
	}
}
