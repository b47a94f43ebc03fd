package auth

import (
	"context"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/revision"
)

const (
	// exportPage is how many sessions one answer exports.
	exportPage = 200
	// eraseBatch is how many sessions one call goes through.
	eraseBatch = 500
)

// Export returns what is kept of a user: themselves, and then their sessions by
// id, those too that have ended and are still kept. Hashes of secrets are not
// among it.
func (a *admins) Export(ctx context.Context, req contract.ExportRequest) (contract.ExportPage, error) {
	user, err := a.user(ctx, req.UserID)
	if err != nil {
		return contract.ExportPage{}, err
	}
	// Each page: whoever begins in the middle has seen something, too.
	if err := a.record(ctx, act{req.Act, contract.ExportUser.Name, user.ID}); err != nil {
		return contract.ExportPage{}, err
	}
	page := contract.ExportPage{Items: []contract.ExportItem{}}
	if req.Cursor == "" {
		if err := page.Add("user", exportedUser{user.wire(), set(user.DisabledAt), set(user.ErasedAt)}); err != nil {
			return contract.ExportPage{}, err
		}
	}
	list, err := a.store.Sessions(ctx, user.ID, req.Cursor, exportPage)
	if err != nil {
		return contract.ExportPage{}, err
	}
	for _, v := range list {
		if err := page.Add("session", exportedSession{v.ID, v.DeviceName, v.CreatedAt, v.LastUsedAt, set(v.EndedAt), v.Reason}); err != nil {
			return contract.ExportPage{}, err
		}
	}
	if len(list) == exportPage {
		page.NextCursor = list[exportPage-1].ID
	}
	return page, nil
}

// exportedUser is a user as they get themselves.
type exportedUser struct {
	contract.User
	DisabledAt *contract.Time `json:"disabled_at,omitempty"`
	ErasedAt   *contract.Time `json:"erased_at,omitempty"`
}

// exportedSession is a session as its user gets it.
type exportedSession struct {
	ID         string         `json:"id"`
	DeviceName string         `json:"device_name"`
	CreatedAt  contract.Time  `json:"created_at"`
	LastUsedAt contract.Time  `json:"last_used_at"`
	EndedAt    *contract.Time `json:"ended_at,omitempty"`
	Reason     string         `json:"reason,omitempty"`
}

// Erase forgets who a disabled user was, in one write, and then what their
// devices were called. The id stays, and with it what others know of it. Asked
// again it goes on.
func (a *admins) Erase(ctx context.Context, req contract.AdminUserRequest) (contract.EraseReply, error) {
	var reply contract.EraseReply
	by := act{req.Act, contract.EraseUser.Name, req.UserID}
	user, err := a.change(ctx, by, func(user *User) (changed bool, err error) {
		if !user.gone() {
			return false, fault.New(fault.FailedPrecondition, "the user must be disabled first")
		}
		if changed = user.ErasedAt.IsZero(); changed {
			user.forget(contract.NewTime(a.now()))
			reply.Erased = 1
		} else {
			reply.Erased = 0
		}
		return changed, nil
	})
	if err != nil {
		return contract.EraseReply{}, err
	}
	n, done, err := a.sessions.forgetDevices(ctx, user.ID)
	if err != nil {
		return contract.EraseReply{}, err
	}
	if reply.Erased > 0 {
		a.announce(ctx, user.ID, true)
	}
	return contract.EraseReply{Erased: reply.Erased + n, Done: done}, nil
}

// forget leaves of a user the id, and when they came and went. Account and
// e-mail are free for others: in their place stands what nobody can choose.
func (u *User) forget(now contract.Time) {
	u.Account, u.Email = "~"+u.ID, noEmail(u.ID)
	u.Password, u.Nickname, u.Sex, u.AvatarURL = "", "", 0, ""
	u.ErasedAt = now
}

// forgetDevices takes the names off a user's sessions; done when none has one.
func (s *sessions) forgetDevices(ctx context.Context, userID string) (n int, done bool, err error) {
	var after string
	for {
		list, err := s.store.Sessions(ctx, userID, after, exportPage)
		if err != nil || len(list) == 0 {
			return n, err == nil, err
		}
		for _, session := range list {
			if session.DeviceName == "" {
				continue
			}
			if n == eraseBatch {
				return n, false, nil
			}
			if err := s.forgetDevice(ctx, session.ID); err != nil {
				return n, false, err
			}
			n++
		}
		after = list[len(list)-1].ID
	}
}

func (s *sessions) forgetDevice(ctx context.Context, sessionID string) error {
	return revision.Retry(ctx, func() error {
		session, err := s.store.Session(ctx, sessionID)
		if err != nil || session == nil || session.DeviceName == "" {
			return err
		}
		session.DeviceName = ""
		session.Rev++
		return s.store.SaveSession(ctx, *session, nil)
	})
}
