package social

import (
	"context"

	"github.com/parley-im/parley/pkg/audit"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/rpc"
)

// registerAdmin serves the methods of admins, and of auth about them.
func (h *handlers) registerAdmin(s *rpc.Server) {
	rpc.Handle(s, contract.ShowRoom, h.showRoom)
	rpc.Handle(s, contract.ShowMembers, h.showMembers)
	rpc.Handle(s, contract.ForceDisband, h.forceDisband)
	rpc.Handle(s, contract.AnnounceUser, h.announceUser)
	rpc.Handle(s, contract.ExportSocial, h.exportUser)
	rpc.Handle(s, contract.EraseSocial, h.eraseUser)
}

func (h *handlers) showRoom(ctx context.Context, req contract.AdminRoomRequest) (contract.AdminRoom, error) {
	if err := checkAdminRoom(&req.Act, req.RoomID); err != nil {
		return contract.AdminRoom{}, err
	}
	room, _, err := h.admins.room(ctx, req.RoomID)
	if err != nil {
		return contract.AdminRoom{}, err
	}
	err = h.admins.saw(ctx, req.Act, contract.ShowRoom.Name, room.ID, contract.AuditEvent{RoomID: room.ID})
	if err != nil {
		return contract.AdminRoom{}, err
	}
	h.kick()
	return room, nil
}

func (h *handlers) showMembers(ctx context.Context, req contract.AdminMembersRequest) (contract.MemberPage, error) {
	if err := checkAdminRoom(&req.Act, req.RoomID); err != nil {
		return contract.MemberPage{}, err
	}
	var check fault.Check
	after := checkMemberCursor(&check, &req.Limit, req.Cursor)
	if err := check.Err(); err != nil {
		return contract.MemberPage{}, err
	}
	room, members, err := h.admins.room(ctx, req.RoomID)
	if err != nil {
		return contract.MemberPage{}, err
	}
	err = h.admins.saw(ctx, req.Act, contract.ShowMembers.Name, room.ID, contract.AuditEvent{RoomID: room.ID})
	if err != nil {
		return contract.MemberPage{}, err
	}
	h.kick()
	return pageOf(members, req.Limit, after), nil
}

func (h *handlers) forceDisband(ctx context.Context, req contract.AdminRoomRequest) (contract.AdminRoom, error) {
	if err := checkAdminRoom(&req.Act, req.RoomID); err != nil {
		return contract.AdminRoom{}, err
	}
	room, err := h.admins.disband(ctx, req)
	if err != nil {
		return contract.AdminRoom{}, err
	}
	// Also when it had ended before: whoever ended it may have died since.
	h.out.disbanded(ctx, room)
	h.kick()
	return room.admin(), nil
}

// announceUser tells every room of a user that they are gone, or back. It is
// auth that asks, which has written who is behind it.
func (h *handlers) announceUser(ctx context.Context, req contract.AnnounceUserRequest) (contract.Empty, error) {
	if err := checkUser(req.UserID); err != nil {
		return contract.Empty{}, err
	}
	lists, err := h.store.Memberships(ctx, req.UserID)
	if err != nil {
		return contract.Empty{}, err
	}
	for _, m := range lists[0] {
		h.out.disabled(ctx, m.RoomID, req.UserID, req.Disabled)
	}
	return contract.Empty{}, nil
}

func (h *handlers) exportUser(ctx context.Context, req contract.ExportRequest) (contract.ExportPage, error) {
	if err := checkAdminUser(&req.Act, req.UserID, req.Cursor); err != nil {
		return contract.ExportPage{}, err
	}
	page, err := h.admins.export(ctx, req)
	if err != nil {
		return contract.ExportPage{}, err
	}
	h.kick()
	return page, nil
}

func (h *handlers) eraseUser(ctx context.Context, req contract.AdminUserRequest) (contract.EraseReply, error) {
	if err := checkAdminUser(&req.Act, req.UserID, ""); err != nil {
		return contract.EraseReply{}, err
	}
	reply, err := h.admins.erase(ctx, req)
	h.kick() // for what was erased before an error, too
	return reply, err
}

func checkAdminRoom(act *contract.Act, roomID string) error {
	var check fault.Check
	audit.Check(&check, act)
	check.That(contract.ValidID(roomID), "room_id", "must be an id")
	return check.Err()
}

func checkAdminUser(act *contract.Act, userID, cursor string) error {
	var check fault.Check
	audit.Check(&check, act)
	check.That(contract.ValidID(userID), "user_id", "must be an id")
	check.That(cursor == "" || contract.ValidID(cursor), "cursor", "is none that was given out")
	return check.Err()
}

func checkUser(userID string) error {
	var check fault.Check
	check.That(contract.ValidID(userID), "user_id", "must be an id")
	return check.Err()
}
