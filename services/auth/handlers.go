package auth

import (
	"context"

	"github.com/parley-im/parley/pkg/checkup"
	"github.com/parley-im/parley/pkg/clock"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/rpc"
)

// handlers answer auth's methods: check, rule, reply.
type handlers struct {
	accounts    *accounts
	credentials *credentials
	sessions    *sessions
	keys        *keyring
	checkup     *checkup.Replica
	clock       *clock.Clock
	kick        func() // the relay, after an event
}

// register serves every method of the contract.
func (h *handlers) register(s *rpc.Server) {
	rpc.Handle(s, contract.SendCode, h.sendCode)
	rpc.Handle(s, contract.Register, h.registerUser)
	rpc.Handle(s, contract.Login, h.login)
	rpc.Handle(s, contract.Refresh, h.refresh)
	rpc.Handle(s, contract.Logout, h.logout)
	rpc.Handle(s, contract.ResetPassword, h.resetPassword)
	rpc.Handle(s, contract.ChangePassword, h.changePassword)
	rpc.Handle(s, contract.ListSessions, h.listSessions)
	rpc.Handle(s, contract.RevokeSession, h.revokeSession)
	rpc.Handle(s, contract.GetMe, h.getMe)
	rpc.Handle(s, contract.UpdateMe, h.updateMe)
	rpc.Handle(s, contract.FindUser, h.findUser)
	rpc.Handle(s, contract.GetUsers, h.getUsers)
	rpc.Handle(s, contract.GetKeys, h.getKeys)
	rpc.Handle(s, contract.ListRevoked, h.listRevoked)
	rpc.Handle(s, contract.DiagnoseAuth, h.checkup.Diagnose)
}

func (h *handlers) sendCode(ctx context.Context, req contract.SendCodeRequest) (contract.Empty, error) {
	if err := checkSendCode(&req); err != nil {
		return contract.Empty{}, err
	}
	return contract.Empty{}, h.accounts.SendCode(ctx, req)
}

func (h *handlers) registerUser(ctx context.Context, req contract.RegisterRequest) (contract.Grant, error) {
	if err := checkRegister(&req); err != nil {
		return contract.Grant{}, err
	}
	user, err := h.accounts.Register(ctx, req)
	if err != nil {
		return contract.Grant{}, err
	}
	defer h.kick()
	return h.sessions.Open(ctx, user, req.DeviceName)
}

func (h *handlers) login(ctx context.Context, req contract.LoginRequest) (contract.Grant, error) {
	if err := checkLogin(&req); err != nil {
		return contract.Grant{}, err
	}
	user, err := h.credentials.Login(ctx, req)
	if err != nil {
		return contract.Grant{}, err
	}
	defer h.kick()
	return h.sessions.Open(ctx, user, req.DeviceName)
}

func (h *handlers) refresh(ctx context.Context, req contract.RefreshRequest) (contract.Grant, error) {
	grant, err := h.sessions.Refresh(ctx, req.RefreshToken, req.AskedAt)
	if err != nil {
		h.kick() // a reuse has ended the session
	}
	return grant, err
}

func (h *handlers) logout(ctx context.Context, req contract.LogoutRequest) (contract.Empty, error) {
	_, session, err := h.sessions.Alive(ctx, req.Caller)
	if err != nil {
		return contract.Empty{}, err
	}
	defer h.kick()
	_, err = h.sessions.End(ctx, session.ID, endedByLogout)
	return contract.Empty{}, err
}

func (h *handlers) resetPassword(ctx context.Context, req contract.ResetPasswordRequest) (contract.Empty, error) {
	if err := checkReset(&req); err != nil {
		return contract.Empty{}, err
	}
	defer h.kick()
	return contract.Empty{}, h.credentials.Reset(ctx, req)
}

func (h *handlers) changePassword(ctx context.Context, req contract.ChangePasswordRequest) (contract.Empty, error) {
	if err := checkChange(req); err != nil {
		return contract.Empty{}, err
	}
	defer h.kick()
	return contract.Empty{}, h.credentials.Change(ctx, req)
}

func (h *handlers) listSessions(ctx context.Context, req contract.ListSessionsRequest) (contract.SessionPage, error) {
	from, err := checkPage(&req)
	if err != nil {
		return contract.SessionPage{}, err
	}
	user, session, err := h.sessions.Alive(ctx, req.Caller)
	if err != nil {
		return contract.SessionPage{}, err
	}
	return h.sessions.List(ctx, user, session.ID, from, req.Limit)
}

func (h *handlers) revokeSession(ctx context.Context, req contract.RevokeSessionRequest) (contract.Empty, error) {
	user, _, err := h.sessions.Alive(ctx, req.Caller)
	if err != nil {
		return contract.Empty{}, err
	}
	defer h.kick()
	return contract.Empty{}, h.sessions.Revoke(ctx, user, req.SessionID)
}

func (h *handlers) getMe(ctx context.Context, req contract.GetMeRequest) (contract.User, error) {
	user, _, err := h.sessions.Alive(ctx, req.Caller)
	if err != nil {
		return contract.User{}, err
	}
	return user.wire(), nil
}

func (h *handlers) updateMe(ctx context.Context, req contract.UpdateMeRequest) (contract.User, error) {
	if err := checkUpdate(&req); err != nil {
		return contract.User{}, err
	}
	user, err := h.accounts.Update(ctx, req)
	if err != nil {
		return contract.User{}, err
	}
	h.kick()
	return user.wire(), nil
}

func (h *handlers) findUser(ctx context.Context, req contract.FindUserRequest) (contract.Profile, error) {
	return h.accounts.Find(ctx, req.Account)
}

func (h *handlers) getUsers(ctx context.Context, req contract.GetUsersRequest) (contract.GetUsersReply, error) {
	if err := checkGetUsers(req); err != nil {
		return contract.GetUsersReply{}, err
	}
	users, err := h.accounts.Profiles(ctx, req.UserIDs)
	return contract.GetUsersReply{Users: users}, err
}

func (h *handlers) getKeys(ctx context.Context, _ contract.Empty) (contract.GetKeysReply, error) {
	set, err := h.keys.JWKS(ctx)
	if err != nil {
		return contract.GetKeysReply{}, err
	}
	_, untrusted := h.clock.Trusted(ctx)
	return contract.GetKeysReply{JWKS: set, Now: contract.NewTime(h.clock.Now()), Trusted: untrusted == nil}, nil
}

func (h *handlers) listRevoked(ctx context.Context, req contract.RevokedRequest) (contract.RevokedReply, error) {
	return h.sessions.Revoked(ctx, req.Cursor)
}
