package gateway

import "github.com/parley-im/parley/pkg/contract"

func (a *api) logout(r *request) (answer, error) {
	return done(ask(r.ctx, a, contract.Logout, contract.LogoutRequest{Caller: r.caller}))
}

func (a *api) listSessions(r *request) (answer, error) {
	limit, cursor, err := r.paging()
	if err != nil {
		return answer{}, err
	}
	page, err := ask(r.ctx, a, contract.ListSessions, contract.ListSessionsRequest{Caller: r.caller, Limit: limit, Cursor: cursor})
	if err != nil {
		return answer{}, err
	}
	return listOf(page.Items, page.NextCursor), nil
}

func (a *api) revokeSession(r *request) (answer, error) {
	sessionID, err := r.pathID("id", "session")
	if err != nil {
		return answer{}, err
	}
	return done(ask(r.ctx, a, contract.RevokeSession, contract.RevokeSessionRequest{Caller: r.caller, SessionID: sessionID}))
}
