package auth_test

import (
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/contract/contracttest"
)

// TestReplies_fit: the largest answer of each method fits into a message, with
// the longest texts, written as JSON at their longest. A method that is not in
// the table fails: what bounds its answer?
func TestReplies_fit(t *testing.T) {
	now := contract.NewTime(time.Now())
	id, name := strings.Repeat("x", 64), strings.Repeat("\u2028", 64)        // two bytes of six are the most that JSON makes of one character
	avatar := "https://example.org/" + strings.Repeat("\u2028", (2048-20)/3) // of bytes
	user := contract.User{ID: id, Account: id[:32], Email: strings.Repeat("x", 254), Nickname: name, Sex: 2, AvatarURL: avatar, CreatedAt: now}
	profile := contract.Profile{ID: id, Account: user.Account, Nickname: name, Sex: 2, AvatarURL: avatar}
	session := contract.Session{ID: id, DeviceName: name, CreatedAt: now, LastUsedAt: now}
	key := contract.JWK{Kty: "OKP", Crv: "Ed25519", X: strings.Repeat("x", 43), Kid: id, Use: "sig", Alg: "EdDSA"}
	grant := contract.Grant{User: user, AccessToken: strings.Repeat("x", 2048), RefreshToken: strings.Repeat("x", 256), ExpiresIn: 86400}
	admin := contract.AdminUser{User: user, DisabledAt: &now, ErasedAt: &now, Sessions: many(session, 1000)}
	page := contract.ExportPage{NextCursor: id}
	for range 200 {
		if err := page.Add("session", map[string]any{"session": session, "ended_at": now, "reason": "password"}); err != nil {
			t.Fatal(err)
		}
	}
	keys := contract.KeysReply{Keys: many(contract.SigningKey{ID: id, CreatedAt: now, SignsFrom: now, RetiredAt: &now}, 101)}
	largest := map[string]any{
		contract.SendCode.Name: contract.Empty{}, contract.Register.Name: grant, contract.Login.Name: grant, contract.Refresh.Name: grant,
		contract.Logout.Name: contract.Empty{}, contract.ResetPassword.Name: contract.Empty{}, contract.ChangePassword.Name: contract.Empty{},
		contract.ListSessions.Name:  contract.SessionPage{Items: many(session, contract.MaxPage), NextCursor: id + id},
		contract.RevokeSession.Name: contract.Empty{}, contract.GetMe.Name: user, contract.UpdateMe.Name: user, contract.FindUser.Name: profile,
		contract.GetUsers.Name:    contract.GetUsersReply{Users: many(profile, contract.MaxPage)},
		contract.GetKeys.Name:     contract.GetKeysReply{JWKS: contract.JWKS{Keys: many(key, 101)}},
		contract.ListRevoked.Name: contract.RevokedReply{Sessions: many(contract.RevokedSession{SessionID: id, Until: now}, 2000+1000), Cursor: id + id},
		contract.ShowUser.Name:    admin, contract.DisableUser.Name: admin, contract.EnableUser.Name: admin,
		contract.EndSessions.Name: contract.EndSessionsReply{Ended: 1000}, contract.IssueToken.Name: grant,
		contract.ExportUser.Name: page, contract.EraseUser.Name: contract.EraseReply{}, contract.ListKeys.Name: keys, contract.RotateKeys.Name: keys,
		contract.DiagnoseAuth.Name: nil, // of one replica: it lists no records
	}
	contracttest.Fits(t, contract.Auth, contracttest.Largest{
		Requests: map[string]any{ // a gateway's limit of a body bounds the texts
			contract.SendCode.Name: nil, contract.Register.Name: nil, contract.Login.Name: nil, contract.Refresh.Name: nil, contract.Logout.Name: nil,
			contract.ResetPassword.Name: nil, contract.ChangePassword.Name: nil, contract.ListSessions.Name: nil, contract.RevokeSession.Name: nil,
			contract.GetMe.Name: nil, contract.UpdateMe.Name: nil, contract.FindUser.Name: nil,
			contract.GetUsers.Name: contract.GetUsersRequest{UserIDs: many(id, contract.MaxPage)},
			contract.GetKeys.Name:  nil, contract.ListRevoked.Name: nil, contract.ShowUser.Name: nil, contract.DisableUser.Name: nil,
			contract.EnableUser.Name: nil, contract.EndSessions.Name: nil, contract.IssueToken.Name: nil, contract.ExportUser.Name: nil,
			contract.EraseUser.Name: nil, contract.ListKeys.Name: nil, contract.RotateKeys.Name: nil, contract.DiagnoseAuth.Name: nil,
		},
		Replies: largest,
		Pushes:  map[string]any{string(contract.SessionRevoked.Op): nil},
		Events: map[string]any{
			contract.UserRegistered.Name: nil, contract.UserUpdated.Name: nil, contract.PasswordChanged.Name: nil,
			contract.SessionCreated.Name: nil, contract.SessionEnded.Name: nil, contract.AuthAudit.Name: nil, contract.LoginFailed.Name: nil,
		},
	})
}

func many[T any](v T, n int) []T {
	list := make([]T, n)
	for i := range list {
		list[i] = v
	}
	return list
}
