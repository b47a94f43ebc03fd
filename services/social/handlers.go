package social

import (
	"context"
	"slices"

	"github.com/parley-im/parley/pkg/checkup"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/id"
	"github.com/parley-im/parley/pkg/rpc"
)

// handlers answer social's methods: check, rule, tell, reply.
type handlers struct {
	store   Store
	friends *friendships
	groups  *groups
	users   *neighbours
	admins  *admins
	out     *pushes
	checkup *checkup.Replica
	kick    func() // the relay, after an event
}

// register serves every method of the contract.
func (h *handlers) register(s *rpc.Server) {
	rpc.Handle(s, contract.AddFriend, h.addFriend)
	rpc.Handle(s, contract.RemoveFriend, h.removeFriend)
	rpc.Handle(s, contract.ListFriends, h.listFriends)
	rpc.Handle(s, contract.AreFriends, h.areFriends)
	rpc.Handle(s, contract.CreateRoom, h.createRoom)
	rpc.Handle(s, contract.GetRooms, h.getRooms)
	rpc.Handle(s, contract.RenameRoom, h.renameRoom)
	rpc.Handle(s, contract.DisbandRoom, h.disbandRoom)
	rpc.Handle(s, contract.ListMembers, h.listMembers)
	rpc.Handle(s, contract.AddMembers, h.addMembers)
	rpc.Handle(s, contract.SetRole, h.setRole)
	rpc.Handle(s, contract.RemoveMember, h.removeMember)
	rpc.Handle(s, contract.GetMembership, h.getMembership)
	rpc.HandleGroup(s, contract.ListMemberships, h.listMemberships)
	rpc.Handle(s, contract.DiagnoseSocial, h.checkup.Diagnose)
	h.registerAdmin(s)
}

func (h *handlers) addFriend(ctx context.Context, req contract.AddFriendRequest) (contract.AddFriendReply, error) {
	if err := checkAddFriend(&req); err != nil {
		return contract.AddFriendReply{}, err
	}
	otherID := req.UserID
	if req.Account != "" {
		found, err := h.users.byAccount(ctx, req.Account)
		if err != nil {
			return contract.AddFriendReply{}, err
		}
		if otherID = found.ID; otherID == req.Caller.UserID {
			return contract.AddFriendReply{}, fault.Invalid("account", "is your own")
		}
	}
	profiles, err := h.users.profiles(ctx, req.Caller.UserID, otherID)
	if err != nil {
		return contract.AddFriendReply{}, err
	}
	f, fresh, err := h.friends.add(ctx, req.Caller.UserID, otherID)
	if err != nil {
		return contract.AddFriendReply{}, err
	}
	h.out.befriended(ctx, f, fresh, profiles)
	h.kick()
	return contract.AddFriendReply{Status: contract.StatusFriends, RoomID: f.ID, User: profiles[otherID]}, nil
}

func (h *handlers) removeFriend(ctx context.Context, req contract.RemoveFriendRequest) (contract.Empty, error) {
	if !contract.ValidID(req.UserID) || !contract.ValidID(req.Caller.UserID) {
		return contract.Empty{}, fault.New(fault.NotFound, "you are not friends")
	}
	f, err := h.friends.remove(ctx, req.Caller.UserID, req.UserID)
	if err != nil {
		return contract.Empty{}, err
	}
	h.out.unfriended(ctx, f)
	h.kick()
	return contract.Empty{}, nil
}

func (h *handlers) listFriends(ctx context.Context, req contract.ListFriendsRequest) (contract.FriendPage, error) {
	if err := checkPage(req.Caller, &req.Limit, req.Cursor); err != nil {
		return contract.FriendPage{}, err
	}
	list, err := h.store.FriendsOf(ctx, req.Caller.UserID, req.Cursor, req.Limit+1)
	if err != nil {
		return contract.FriendPage{}, err
	}
	page := contract.FriendPage{Items: []contract.Friend{}}
	if len(list) > req.Limit {
		list = list[:req.Limit]
		page.NextCursor = list[req.Limit-1].ID
	}
	for _, f := range list {
		page.Items = append(page.Items, contract.Friend{UserID: f.other(req.Caller.UserID), RoomID: f.ID, Since: f.Since})
	}
	return page, nil
}

func (h *handlers) areFriends(ctx context.Context, req contract.AreFriendsRequest) (contract.AreFriendsReply, error) {
	if err := checkIDs(req.Caller, "user_ids", req.UserIDs); err != nil {
		return contract.AreFriendsReply{}, err
	}
	friends, err := h.store.FriendsAmong(ctx, req.Caller.UserID, req.UserIDs)
	return contract.AreFriendsReply{UserIDs: friends}, err
}

func (h *handlers) createRoom(ctx context.Context, req contract.CreateRoomRequest) (contract.CreateRoomReply, error) {
	if err := checkCreateRoom(&req); err != nil {
		return contract.CreateRoomReply{}, err
	}
	room, created, err := h.groups.create(ctx, req)
	if err != nil {
		return contract.CreateRoomReply{}, err
	}
	if created {
		h.out.welcome(ctx, room, room.Members)
		h.kick()
	}
	return contract.CreateRoomReply{Room: room.info(*room.member(req.Caller.UserID)), Created: created}, nil
}

func (h *handlers) getRooms(ctx context.Context, req contract.GetRoomsRequest) (contract.GetRoomsReply, error) {
	if err := checkIDs(req.Caller, "room_ids", req.RoomIDs); err != nil {
		return contract.GetRoomsReply{}, err
	}
	infos, err := h.store.RoomInfos(ctx, req.Caller.UserID, req.RoomIDs)
	if err != nil {
		return contract.GetRoomsReply{}, err
	}
	slices.SortFunc(infos, func(a, b contract.RoomInfo) int {
		return slices.Index(req.RoomIDs, a.ID) - slices.Index(req.RoomIDs, b.ID)
	})
	return contract.GetRoomsReply{Rooms: infos}, nil
}

func (h *handlers) renameRoom(ctx context.Context, req contract.RenameRoomRequest) (contract.RoomInfo, error) {
	var check fault.Check
	checkName(&check, &req.Name)
	if err := checkRoom(&check, req.Caller, req.RoomID); err != nil {
		return contract.RoomInfo{}, err
	}
	room, err := h.groups.rename(ctx, req.Caller.UserID, req.RoomID, req.Name)
	if err != nil {
		return contract.RoomInfo{}, err
	}
	h.out.updated(ctx, room)
	h.kick()
	return room.info(*room.member(req.Caller.UserID)), nil
}

func (h *handlers) disbandRoom(ctx context.Context, req contract.RoomRequest) (contract.Empty, error) {
	if err := checkRoom(&fault.Check{}, req.Caller, req.RoomID); err != nil {
		return contract.Empty{}, err
	}
	room, err := h.groups.disband(ctx, req.Caller.UserID, req.RoomID)
	if err != nil {
		return contract.Empty{}, err
	}
	h.out.disbanded(ctx, room)
	h.kick()
	return contract.Empty{}, nil
}

func (h *handlers) listMembers(ctx context.Context, req contract.ListMembersRequest) (contract.MemberPage, error) {
	var check fault.Check
	checkCaller(&check, req.Caller)
	after := checkMemberCursor(&check, &req.Limit, req.Cursor)
	if err := checkRoom(&check, req.Caller, req.RoomID); err != nil {
		return contract.MemberPage{}, err
	}
	members, err := h.members(ctx, req.Caller.UserID, req.RoomID)
	if err != nil {
		return contract.MemberPage{}, err
	}
	return pageOf(members, req.Limit, after), nil
}

// members lists a room's members, the longest-serving first.
func (h *handlers) members(ctx context.Context, userID, roomID string) ([]Member, error) {
	if !id.IsPair(roomID) {
		room, err := h.groups.load(ctx, userID, roomID)
		if err != nil {
			return nil, err
		}
		return room.Members, nil
	}
	f, err := h.store.Friendship(ctx, roomID)
	if err != nil {
		return nil, err
	}
	if f == nil || !f.has(userID) {
		return nil, errNoRoom
	}
	return f.members(), nil
}

func (h *handlers) addMembers(ctx context.Context, req contract.AddMembersRequest) (contract.AddMembersReply, error) {
	if err := checkRoom(&fault.Check{}, req.Caller, req.RoomID); err != nil {
		return contract.AddMembersReply{}, err
	}
	if err := checkIDs(req.Caller, "user_ids", req.UserIDs); err != nil {
		return contract.AddMembersReply{}, err
	}
	room, added, already, err := h.groups.add(ctx, req.Caller.UserID, req.RoomID, req.UserIDs)
	if err != nil {
		return contract.AddMembersReply{}, err
	}
	if len(added) > 0 {
		h.out.welcome(ctx, room, added)
		h.out.joined(ctx, room, added, req.Caller.UserID)
		h.kick()
	}
	return contract.AddMembersReply{Added: userIDs(added), Already: append([]string{}, already...)}, nil
}

func (h *handlers) setRole(ctx context.Context, req contract.SetRoleRequest) (contract.Member, error) {
	var check fault.Check
	check.That(slices.Contains([]contract.Role{contract.RoleOwner, contract.RoleAdmin, contract.RoleMember}, req.Role),
		"role", "must be owner, admin or member")
	if err := checkRoom(&check, req.Caller, req.RoomID); err != nil {
		return contract.Member{}, err
	}
	room, changed, err := h.groups.setRole(ctx, req.Caller.UserID, req.RoomID, req.UserID, req.Role)
	if err != nil {
		return contract.Member{}, err
	}
	if len(changed) > 0 {
		h.out.roles(ctx, room, changed)
		h.kick()
	}
	return room.member(req.UserID).wire(), nil
}

func (h *handlers) removeMember(ctx context.Context, req contract.RemoveMemberRequest) (contract.Empty, error) {
	if err := checkRoom(&fault.Check{}, req.Caller, req.RoomID); err != nil {
		return contract.Empty{}, err
	}
	room, heir, err := h.groups.remove(ctx, req.Caller.UserID, req.RoomID, req.UserID)
	if err != nil {
		return contract.Empty{}, err
	}
	h.out.left(ctx, room, req.UserID, req.Caller.UserID, heir)
	h.kick()
	return contract.Empty{}, nil
}

func (h *handlers) getMembership(ctx context.Context, req contract.MembershipRequest) (contract.MembershipReply, error) {
	if !contract.ValidID(req.RoomID) || !contract.ValidID(req.UserID) {
		return contract.MembershipReply{}, nil
	}
	return h.store.Membership(ctx, req.RoomID, req.UserID)
}

// listMemberships reads for those who ask for a page of all rooms together.
func (h *handlers) listMemberships(ctx context.Context, reqs []contract.MembershipsRequest) []rpc.Result[contract.MembershipsReply] {
	results := rpc.Each(ctx, reqs, func(ctx context.Context, req contract.MembershipsRequest) (contract.MembershipsReply, error) {
		if err := checkMemberships(req); err != nil || len(req.RoomIDs) == 0 {
			return contract.MembershipsReply{}, err
		}
		some, err := h.store.MembershipsAmong(ctx, req.UserID, req.RoomIDs)
		return contract.NewMembershipsReply(some), err
	})
	var whole []int // of reqs
	var users []string
	for i, req := range reqs {
		if results[i].Err == nil && len(req.RoomIDs) == 0 {
			whole, users = append(whole, i), append(users, req.UserID)
		}
	}
	if len(whole) == 0 {
		return results
	}
	all, err := h.store.Memberships(ctx, users...)
	for k, i := range whole {
		if results[i].Err = err; err == nil {
			results[i].Reply = membershipPage(all[k], reqs[i].Cursor)
		}
	}
	return results
}
