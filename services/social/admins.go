package social

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/parley-im/parley/pkg/audit"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/id"
)

const (
	// exportPage is how many rooms one page of an export has.
	exportPage = 200
	// erasePart is how many rooms one call of an erasure leaves.
	erasePart = 50
)

var errNoDisband = fault.New(fault.FailedPrecondition, "a direct room can't be disbanded; disable one of the two instead")

// admins holds the rules of what admins do, whoever is in a room. What they
// change and the event that says so are one write; what they look at, they see
// once the event is written.
type admins struct {
	store   Store
	friends *friendships
	groups  *groups
	out     news
	now     func() time.Time
}

// news is what people are told of an erasure.
type news interface {
	unfriended(ctx context.Context, f Friendship)
	left(ctx context.Context, room Room, userID, by string, heir *Member)
}

// saw writes that an admin looks at something.
func (a *admins) saw(ctx context.Context, act contract.Act, action, key string, about contract.AuditEvent) error {
	e, err := audit.Event(contract.SocialAudit, act, action, key, about, a.now())
	if err != nil {
		return err
	}
	return a.store.Post(ctx, []contract.Event{e})
}

// room is a room as an admin sees it, and its members, the longest-serving
// first.
func (a *admins) room(ctx context.Context, roomID string) (contract.AdminRoom, []Member, error) {
	if id.IsPair(roomID) {
		f, err := a.store.Friendship(ctx, roomID)
		if err != nil {
			return contract.AdminRoom{}, nil, err
		}
		if f == nil {
			return contract.AdminRoom{}, nil, errNoRoom
		}
		return contract.AdminRoom{
			ID: f.ID, Type: contract.RoomDirect, Closed: f.State != StateFriends, MemberCount: 2, CreatedAt: f.CreatedAt, Rev: f.Rev,
		}, f.members(), nil
	}
	r, err := a.group(ctx, roomID)
	if err != nil {
		return contract.AdminRoom{}, nil, err
	}
	return r.admin(), r.Members, nil
}

// group loads a group, a disbanded one too.
func (a *admins) group(ctx context.Context, roomID string) (*Room, error) {
	r, err := a.store.Room(ctx, roomID)
	if err == nil && r == nil {
		err = errNoRoom
	}
	return r, err
}

// admin is the room as an admin sees it.
func (r *Room) admin() contract.AdminRoom {
	room := contract.AdminRoom{
		ID: r.ID, Type: contract.RoomGroup, Name: r.Name, Closed: r.Disbanded, MemberCount: len(r.Members), CreatedAt: r.CreatedAt, Rev: r.Rev,
	}
	for _, m := range r.Members {
		if m.Role == contract.RoleOwner {
			room.OwnerID = m.UserID
		}
	}
	return room
}

// disband ends a group. One that has ended before stays as it is.
func (a *admins) disband(ctx context.Context, req contract.AdminRoomRequest) (Room, error) {
	if id.IsPair(req.RoomID) {
		return Room{}, errNoDisband
	}
	e, err := audit.Event(contract.SocialAudit, req.Act, contract.ForceDisband.Name, req.RoomID, contract.AuditEvent{RoomID: req.RoomID}, a.now())
	if err != nil {
		return Room{}, err
	}
	load := func() (*Room, error) { return a.group(ctx, req.RoomID) }
	return a.groups.alter(ctx, contract.RemovedByAdmin, req.RoomID, load, func(room *Room) (*change, error) {
		if room.Disbanded {
			return nil, nil
		}
		return room.disband(), nil
	}, e)
}

// export is a page of a user's friendships, ended ones too, and groups, in the
// order of the rooms' ids.
func (a *admins) export(ctx context.Context, req contract.ExportRequest) (contract.ExportPage, error) {
	if err := a.saw(ctx, req.Act, contract.ExportSocial.Name, req.UserID, contract.AuditEvent{UserID: req.UserID}); err != nil {
		return contract.ExportPage{}, err
	}
	rooms, err := a.rooms(ctx, req.UserID)
	if err != nil {
		return contract.ExportPage{}, err
	}
	first, _ := slices.BinarySearchFunc(rooms, req.Cursor, func(m contract.Membership, after string) int {
		if m.RoomID <= after {
			return -1
		}
		return 1
	})
	page := contract.ExportPage{Items: []contract.ExportItem{}}
	if rooms = rooms[first:]; len(rooms) > exportPage {
		rooms = rooms[:exportPage]
		page.NextCursor = rooms[exportPage-1].RoomID
	}
	joined := make(map[string]contract.Time, len(rooms))
	ids := make([]string, len(rooms))
	for i, m := range rooms {
		ids[i], joined[m.RoomID] = m.RoomID, m.JoinedAt
	}
	infos, err := a.store.RoomInfos(ctx, req.UserID, ids)
	if err != nil {
		return contract.ExportPage{}, err
	}
	slices.SortFunc(infos, func(x, y contract.RoomInfo) int { return cmp.Compare(x.ID, y.ID) })
	for _, info := range infos {
		if err := page.Add(exported(info, joined[info.ID])); err != nil {
			return contract.ExportPage{}, err
		}
	}
	return page, nil
}

// rooms are a user's places in all their rooms, in the order of the ids.
func (a *admins) rooms(ctx context.Context, userID string) ([]contract.Membership, error) {
	lists, err := a.store.Memberships(ctx, userID)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(lists[0], func(x, y contract.Membership) int { return cmp.Compare(x.RoomID, y.RoomID) })
	return lists[0], nil
}

// exported is a room as it stands in an export.
func exported(info contract.RoomInfo, joined contract.Time) (kind string, record any) {
	if info.Type == contract.RoomDirect {
		return "friendship", struct {
			RoomID string        `json:"room_id"`
			UserID string        `json:"user_id"` // of the other
			Ended  bool          `json:"ended"`
			Since  contract.Time `json:"created_at"`
		}{info.ID, info.PeerID, info.Closed, info.CreatedAt}
	}
	return "group", struct {
		RoomID   string        `json:"room_id"`
		Name     string        `json:"name"`
		Role     contract.Role `json:"role"`
		JoinedAt contract.Time `json:"joined_at"`
	}{info.ID, info.Name, info.Role, joined}
}

// erase ends some of a user's friendships and takes them out of some groups:
// each with the event that says by whom, in one write. What stays are ids.
func (a *admins) erase(ctx context.Context, req contract.AdminUserRequest) (contract.EraseReply, error) {
	rooms, err := a.rooms(ctx, req.UserID)
	if err != nil {
		return contract.EraseReply{}, err
	}
	rooms = slices.DeleteFunc(rooms, func(m contract.Membership) bool { return m.Closed })
	if len(rooms) == 0 {
		err := a.saw(ctx, req.Act, contract.EraseSocial.Name, req.UserID, contract.AuditEvent{UserID: req.UserID})
		return contract.EraseReply{Done: err == nil}, err
	}
	reply := contract.EraseReply{Done: len(rooms) <= erasePart}
	for _, m := range rooms[:min(len(rooms), erasePart)] {
		e, err := audit.Event(contract.SocialAudit, req.Act, contract.EraseSocial.Name, m.RoomID,
			contract.AuditEvent{UserID: req.UserID, RoomID: m.RoomID}, a.now())
		if err == nil {
			err = a.leave(ctx, m, req.UserID, e)
		}
		if err != nil && !fault.Is(err, fault.NotFound) { // or it ended meanwhile
			return reply, err
		}
		reply.Erased++
	}
	return reply, nil
}

// leave takes a user out of one room, and tells those who stay.
func (a *admins) leave(ctx context.Context, m contract.Membership, userID string, e contract.Event) error {
	if m.Type == contract.RoomDirect {
		f, err := a.friends.end(ctx, m.RoomID, contract.RemovedByAdmin, e)
		if err == nil {
			a.out.unfriended(ctx, f)
		}
		return err
	}
	var heir *Member
	load := func() (*Room, error) { return a.groups.load(ctx, userID, m.RoomID) }
	room, err := a.groups.alter(ctx, contract.RemovedByAdmin, m.RoomID, load, func(room *Room) (_ *change, err error) {
		if heir, err = room.remove(userID, userID); err != nil {
			return nil, err
		}
		return room.lost(userID, heir), nil
	}, e)
	if err == nil {
		a.out.left(ctx, room, userID, contract.RemovedByAdmin, heir)
	}
	return err
}
