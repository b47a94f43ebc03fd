package social

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/id"
	"github.com/parley-im/parley/pkg/revision"
)

// groups holds the rules of groups: load, decide, and save under the revision
// that was seen, together with the event that reports it.
type groups struct {
	store      Store
	maxMembers int
	maxRooms   int
	head       func(ctx context.Context, roomID string) (int64, error) // of chat
	now        func() time.Time
	turns      turns
}

// create makes a group of the caller and friends. With a client id that the
// caller has used before it returns the room of then, and created false.
func (g *groups) create(ctx context.Context, req contract.CreateRoomRequest) (room Room, created bool, err error) {
	userID := req.Caller.UserID
	if req.ClientID != "" {
		if known, err := g.store.RoomByClientID(ctx, userID, req.ClientID); err != nil || known != nil {
			return g.known(known, userID, err)
		}
	}
	others := unique(req.MemberIDs, userID)
	if len(others)+1 > g.maxMembers {
		return Room{}, false, fault.Invalid("member_ids", fmt.Sprintf("a group has at most %d members", g.maxMembers))
	}
	if err := g.friendsOnly(ctx, userID, "member_ids", others); err != nil {
		return Room{}, false, err
	}
	if err := roomLeft(ctx, g.store, g.maxRooms, "member_ids", append(others, userID)...); err != nil {
		return Room{}, false, err
	}
	now := contract.NewTime(g.now())
	room = Room{
		ID: id.New(), Name: req.Name, History: req.History, CreatedBy: userID, ClientID: req.ClientID, CreatedAt: now,
		Members: []Member{{UserID: userID, Role: contract.RoleOwner, FirstSeq: 1, JoinedAt: now}},
	}
	if _, _, err := room.add(others, g.maxMembers, 1, now); err != nil {
		return Room{}, false, err
	}
	err = g.save(ctx, &room, contract.GroupCreated, contract.RoomEvent{By: userID, Members: wireMembers(room.Members)})
	if errors.Is(err, revision.ErrConflict) { // the same request, answered elsewhere at the same moment
		known, err := g.store.RoomByClientID(ctx, userID, req.ClientID)
		return g.known(known, userID, err)
	}
	return room, err == nil, err
}

// known answers a repeated request. Who has left meanwhile has no such room.
func (g *groups) known(room *Room, userID string, err error) (Room, bool, error) {
	switch {
	case err != nil:
		return Room{}, false, err
	case room == nil || room.member(userID) == nil:
		return Room{}, false, errNoRoom
	}
	return *room, false, nil
}

// rename gives a group another name.
func (g *groups) rename(ctx context.Context, userID, roomID, name string) (Room, error) {
	return g.change(ctx, userID, roomID, func(room *Room) (*change, error) {
		if !room.leads(userID) {
			return nil, errNotRole
		}
		room.Name = name
		return &change{contract.GroupRenamed, contract.RoomEvent{}}, nil
	})
}

// disband ends a group.
func (g *groups) disband(ctx context.Context, userID, roomID string) (Room, error) {
	return g.change(ctx, userID, roomID, func(room *Room) (*change, error) {
		if !room.owns(userID) {
			return nil, errNotRole
		}
		return room.disband(), nil
	})
}

// add takes friends of the caller into a group, all or none. The friendships
// are other records, read before: one that ends in between is as if it had
// ended just after.
func (g *groups) add(ctx context.Context, userID, roomID string, ids []string) (room Room, added []Member, already []string, err error) {
	seen, err := g.load(ctx, userID, roomID)
	if err != nil {
		return Room{}, nil, nil, err
	}
	ids = unique(ids, "")
	fresh := slices.DeleteFunc(slices.Clone(ids), func(other string) bool { return seen.member(other) != nil })
	if err := g.friendsOnly(ctx, userID, "user_ids", fresh); err != nil {
		return Room{}, nil, nil, err
	}
	if err := roomLeft(ctx, g.store, g.maxRooms, "user_ids", fresh...); err != nil {
		return Room{}, nil, nil, err
	}
	room, err = g.change(ctx, userID, roomID, func(room *Room) (*change, error) {
		firstSeq, err := g.firstSeq(ctx, room, ids)
		if err != nil {
			return nil, err
		}
		added, already, err = room.add(ids, g.maxMembers, firstSeq, contract.NewTime(g.now()))
		if err != nil || len(added) == 0 {
			return nil, err
		}
		// Someone who left since the friends were looked at comes back unasked
		// only if they are a friend, too.
		for _, m := range added {
			if !slices.Contains(fresh, m.UserID) { // at most 200
				return nil, fault.New(fault.Unavailable, "the group changed meanwhile").After(time.Second)
			}
		}
		return &change{contract.GroupJoined, contract.RoomEvent{Members: wireMembers(added)}}, nil
	})
	return room, added, already, err
}

// firstSeq returns the first seq that new members may read. It asks for the
// head in each try of a change: messages that were sent while an earlier try
// failed are older than the membership.
func (g *groups) firstSeq(ctx context.Context, room *Room, ids []string) (int64, error) {
	if room.History != contract.HistoryJoined || !slices.ContainsFunc(ids, func(id string) bool { return room.member(id) == nil }) {
		return 1, nil
	}
	head, err := g.head(ctx, room.ID)
	if err != nil {
		return 0, fmt.Errorf("ask for the head: %w", err)
	}
	return head + 1, nil
}

// remove takes a member out of a group. heir is the new owner, if any.
func (g *groups) remove(ctx context.Context, by, roomID, userID string) (room Room, heir *Member, err error) {
	room, err = g.change(ctx, by, roomID, func(room *Room) (*change, error) {
		if heir, err = room.remove(by, userID); err != nil {
			return nil, err
		}
		return room.lost(userID, heir), nil
	})
	return room, heir, err
}

// disband ends the room.
func (r *Room) disband() *change {
	left := userIDs(r.Members)
	r.Members, r.Disbanded = nil, true
	return &change{contract.GroupDisbanded, contract.RoomEvent{Left: left}}
}

// lost is the change of having lost a member, to whom heir, if any, succeeds.
func (r *Room) lost(userID string, heir *Member) *change {
	event := contract.RoomEvent{Left: []string{userID}}
	if r.Disbanded {
		return &change{contract.GroupDisbanded, event}
	}
	if heir != nil {
		event.Members = wireMembers([]Member{*heir})
	}
	return &change{contract.GroupLeft, event}
}

// setRole gives a member a role, and returns everyone whose role changed.
func (g *groups) setRole(ctx context.Context, by, roomID, userID string, role contract.Role) (room Room, changed []Member, err error) {
	room, err = g.change(ctx, by, roomID, func(room *Room) (*change, error) {
		changed, err = room.setRole(by, userID, role)
		if err != nil || len(changed) == 0 {
			return nil, err
		}
		return &change{contract.GroupRole, contract.RoomEvent{Members: wireMembers(changed)}}, nil
	})
	return room, changed, err
}

// change is what happened to a room.
type change struct {
	kind  contract.EventType[contract.RoomEvent]
	event contract.RoomEvent
}

// change loads a group of the user, has decide change it, and saves it; nil
// from decide means that there is nothing to save.
func (g *groups) change(ctx context.Context, userID, roomID string, decide func(*Room) (*change, error)) (Room, error) {
	load := func() (*Room, error) { return g.load(ctx, userID, roomID) }
	return g.alter(ctx, userID, roomID, load, decide)
}

// alter is change for whoever may load the group. More events go with the one
// that reports the change.
func (g *groups) alter(ctx context.Context, by, roomID string, load func() (*Room, error), decide func(*Room) (*change, error), more ...contract.Event) (room Room, err error) {
	done, err := g.turns.take(ctx, roomID)
	if err != nil {
		return Room{}, err
	}
	defer done()
	err = revision.Retry(ctx, func() error {
		loaded, err := load()
		if err != nil {
			return err
		}
		room = *loaded
		what, err := decide(&room)
		if err != nil || what == nil {
			return err
		}
		what.event.By = by
		return g.save(ctx, &room, what.kind, what.event, more...)
	})
	return room, err
}

// load returns a group that the user is in.
func (g *groups) load(ctx context.Context, userID, roomID string) (*Room, error) {
	if id.IsPair(roomID) {
		f, err := g.store.Friendship(ctx, roomID)
		if err != nil {
			return nil, err
		}
		if f != nil && f.has(userID) {
			return nil, errDirect
		}
		return nil, errNoRoom
	}
	room, err := g.store.Room(ctx, roomID)
	if err != nil {
		return nil, err
	}
	if room == nil || room.Disbanded || room.member(userID) == nil {
		return nil, errNoRoom
	}
	return room, nil
}

// save writes the room's next revision with the event that reports it, and
// more.
func (g *groups) save(ctx context.Context, room *Room, kind contract.EventType[contract.RoomEvent], event contract.RoomEvent, more ...contract.Event) error {
	room.Rev++
	event.RoomID, event.Rev = room.ID, room.Rev
	e, err := kind.New(id.New(), room.ID, g.now(), event)
	if err != nil {
		return err
	}
	return g.store.SaveRoom(ctx, *room, append([]contract.Event{e}, more...))
}

// friendsOnly refuses users who are not friends of the caller.
func (g *groups) friendsOnly(ctx context.Context, userID, field string, others []string) error {
	if len(others) == 0 {
		return nil
	}
	friends, err := g.store.FriendsAmong(ctx, userID, others)
	if err != nil {
		return fmt.Errorf("look for friends: %w", err)
	}
	known := make(map[string]bool, len(friends))
	for _, friend := range friends {
		known[friend] = true
	}
	f := fault.New(fault.PermissionDenied, "only friends of yours can be added")
	for _, other := range others {
		if !known[other] {
			f.Fields = append(f.Fields, fault.Field{Field: field, Detail: other + " is not a friend of yours"})
		}
	}
	if len(f.Fields) > 0 {
		return f
	}
	return nil
}

// unique keeps the first of equal ids, and none that equals without.
func unique(ids []string, without string) []string {
	seen := make(map[string]struct{}, len(ids))
	list := make([]string, 0, len(ids))
	for _, v := range ids {
		if _, double := seen[v]; !double && v != without {
			seen[v] = struct{}{}
			list = append(list, v)
		}
	}
	return list
}

func userIDs(members []Member) []string {
	list := make([]string, len(members))
	for i, m := range members {
		list[i] = m.UserID
	}
	return list
}
