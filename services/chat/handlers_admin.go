package chat

import (
	"context"

	"github.com/parley-im/parley/pkg/audit"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/rpc"
)

// registerAdmin serves the methods of admins.
func (h *handlers) registerAdmin(s *rpc.Server) {
	rpc.Handle(s, contract.ForceRemove, h.forceRemove)
	rpc.Handle(s, contract.ExportChat, h.exportUser)
	rpc.Handle(s, contract.EraseChat, h.eraseUser)
}

func (h *handlers) forceRemove(ctx context.Context, req contract.AdminMessageRequest) (contract.MessageRemovedData, error) {
	var check fault.Check
	audit.Check(&check, &req.Act)
	checkRoom(&check, req.RoomID)
	check.That(req.Seq >= 1, "seq", "must be at least 1")
	if err := check.Err(); err != nil {
		return contract.MessageRemovedData{}, err
	}
	removed, err := h.remover.Force(ctx, req)
	if err != nil {
		return contract.MessageRemovedData{}, err
	}
	h.out.Removed(ctx, removed)
	h.kick()
	return removed, nil
}

func (h *handlers) exportUser(ctx context.Context, req contract.ExportRequest) (contract.ExportPage, error) {
	if err := checkPersonal(&req.Act, req.UserID, req.Cursor); err != nil {
		return contract.ExportPage{}, err
	}
	page, err := h.personal.Export(ctx, req)
	h.kick()
	return page, err
}

func (h *handlers) eraseUser(ctx context.Context, req contract.AdminUserRequest) (contract.EraseReply, error) {
	if err := checkPersonal(&req.Act, req.UserID, ""); err != nil {
		return contract.EraseReply{}, err
	}
	reply, err := h.personal.Erase(ctx, req)
	h.kick() // for what was erased before an error, too
	return reply, err
}
