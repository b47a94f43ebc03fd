package auth

import (
	"context"
	"slices"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
)

// List returns the caller's sessions from a place on.
func (s *sessions) List(ctx context.Context, user User, current string, from *place, limit int) (contract.SessionPage, error) {
	open, err := s.living(ctx, user)
	if err != nil {
		return contract.SessionPage{}, err
	}
	open = slices.DeleteFunc(open, func(v Session) bool { return from != nil && !v.place().after(*from) })
	page := contract.SessionPage{Items: []contract.Session{}}
	for i, v := range open {
		if i == limit {
			page.NextCursor = open[i-1].place().cursor()
			break
		}
		page.Items = append(page.Items, v.wire(current))
	}
	return page, nil
}

// living are the user's sessions that have not ended, the last used first.
func (s *sessions) living(ctx context.Context, user User) ([]Session, error) {
	open, err := s.store.OpenSessions(ctx, user.ID)
	if err != nil {
		return nil, err
	}
	open = slices.DeleteFunc(open, func(v Session) bool { return !s.lives(v) || user.killed(v) })
	sortByUse(open)
	return open, nil
}

// wire is the session as its user sees it, from the session current.
func (v Session) wire(current string) contract.Session {
	return contract.Session{ID: v.ID, DeviceName: v.DeviceName, CreatedAt: v.CreatedAt, LastUsedAt: v.LastUsedAt, Current: v.ID == current}
}

// Revoke ends one of the user's sessions.
func (s *sessions) Revoke(ctx context.Context, user User, sessionID string) error {
	missing := fault.New(fault.NotFound, "there is no such session")
	if !contract.ValidID(sessionID) {
		return missing
	}
	session, err := s.store.Session(ctx, sessionID)
	if err != nil {
		return err
	}
	if session == nil || session.UserID != user.ID || !s.lives(*session) || user.killed(*session) {
		return missing
	}
	ended, err := s.End(ctx, sessionID, endedByRevoke)
	if err == nil && !ended {
		return missing
	}
	return err
}

func (v Session) place() place { return place{usedAt: v.LastUsedAt.UnixMilli(), id: v.ID} }

// sortByUse puts the last used first.
func sortByUse(list []Session) {
	slices.SortFunc(list, func(a, b Session) int {
		switch {
		case b.place().after(a.place()):
			return -1
		case a.place().after(b.place()):
			return 1
		default:
			return 0
		}
	})
}
