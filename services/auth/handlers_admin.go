package auth

import (
	"context"

	"github.com/parley-im/parley/pkg/audit"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/rpc"
)

// adminHandlers answer what admins ask: check, rule, reply.
type adminHandlers struct {
	admins *admins
	keys   *keyring
	kick   func() // the relay: each of them has left an event
}

func (h *adminHandlers) register(s *rpc.Server) {
	rpc.Handle(s, contract.ShowUser, h.showUser)
	rpc.Handle(s, contract.DisableUser, h.disableUser)
	rpc.Handle(s, contract.EnableUser, h.enableUser)
	rpc.Handle(s, contract.EndSessions, h.endSessions)
	rpc.Handle(s, contract.IssueToken, h.issueToken)
	rpc.Handle(s, contract.ExportUser, h.exportUser)
	rpc.Handle(s, contract.EraseUser, h.eraseUser)
	rpc.Handle(s, contract.ListKeys, h.listKeys)
	rpc.Handle(s, contract.RotateKeys, h.rotateKeys)
}

func (h *adminHandlers) showUser(ctx context.Context, req contract.ShowUserRequest) (contract.AdminUser, error) {
	var check fault.Check
	audit.Check(&check, &req.Act)
	check.That(req.User != "" && len(req.User) <= maxEmail, "user", "must be an id, an account or an e-mail address")
	if err := check.Err(); err != nil {
		return contract.AdminUser{}, err
	}
	defer h.kick()
	return h.admins.Show(ctx, req)
}

func (h *adminHandlers) disableUser(ctx context.Context, req contract.AdminUserRequest) (contract.AdminUser, error) {
	if err := checkAdminUser(&req.Act, req.UserID); err != nil {
		return contract.AdminUser{}, err
	}
	defer h.kick()
	return h.admins.Disable(ctx, req)
}

func (h *adminHandlers) enableUser(ctx context.Context, req contract.AdminUserRequest) (contract.AdminUser, error) {
	if err := checkAdminUser(&req.Act, req.UserID); err != nil {
		return contract.AdminUser{}, err
	}
	defer h.kick()
	return h.admins.Enable(ctx, req)
}

func (h *adminHandlers) endSessions(ctx context.Context, req contract.EndSessionsRequest) (contract.EndSessionsReply, error) {
	var check fault.Check
	audit.Check(&check, &req.Act)
	check.That(contract.ValidID(req.UserID), "user_id", "must be an id")
	check.That(req.SessionID == "" || contract.ValidID(req.SessionID), "session_id", "must be an id")
	if err := check.Err(); err != nil {
		return contract.EndSessionsReply{}, err
	}
	defer h.kick()
	ended, err := h.admins.EndSessions(ctx, req)
	return contract.EndSessionsReply{Ended: ended}, err
}

func (h *adminHandlers) issueToken(ctx context.Context, req contract.IssueTokenRequest) (contract.Grant, error) {
	var check fault.Check
	audit.Check(&check, &req.Act)
	check.That(contract.ValidID(req.UserID), "user_id", "must be an id")
	checkName(&check, "device_name", &req.DeviceName, 0)
	if err := check.Err(); err != nil {
		return contract.Grant{}, err
	}
	defer h.kick()
	return h.admins.IssueToken(ctx, req)
}

func (h *adminHandlers) exportUser(ctx context.Context, req contract.ExportRequest) (contract.ExportPage, error) {
	var check fault.Check
	audit.Check(&check, &req.Act)
	check.That(contract.ValidID(req.UserID), "user_id", "must be an id")
	check.That(req.Cursor == "" || contract.ValidID(req.Cursor), "cursor", "is none that was given out")
	if err := check.Err(); err != nil {
		return contract.ExportPage{}, err
	}
	defer h.kick()
	return h.admins.Export(ctx, req)
}

func (h *adminHandlers) eraseUser(ctx context.Context, req contract.AdminUserRequest) (contract.EraseReply, error) {
	if err := checkAdminUser(&req.Act, req.UserID); err != nil {
		return contract.EraseReply{}, err
	}
	defer h.kick()
	return h.admins.Erase(ctx, req)
}

func (h *adminHandlers) listKeys(ctx context.Context, req contract.KeysRequest) (contract.KeysReply, error) {
	if err := checkKeys(&req); err != nil {
		return contract.KeysReply{}, err
	}
	defer h.kick()
	keys, err := h.admins.Keys(ctx, req.Act)
	return contract.KeysReply{Keys: keys}, err
}

func (h *adminHandlers) rotateKeys(ctx context.Context, req contract.KeysRequest) (contract.KeysReply, error) {
	if err := checkKeys(&req); err != nil {
		return contract.KeysReply{}, err
	}
	defer h.kick()
	keys, err := h.keys.Rotate(ctx, req.Act)
	return contract.KeysReply{Keys: keys}, err
}

func checkAdminUser(act *contract.Act, userID string) error {
	var check fault.Check
	audit.Check(&check, act)
	check.That(contract.ValidID(userID), "user_id", "must be an id")
	return check.Err()
}

func checkKeys(req *contract.KeysRequest) error {
	var check fault.Check
	audit.Check(&check, &req.Act)
	return check.Err()
}
