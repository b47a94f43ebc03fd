package auth

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
)

const (
	// revokedPage is how many ended sessions one answer lists, before those of
	// the last user on it. An entry has at most 130 bytes.
	revokedPage = 2000
	// revokedOverlap is how far before its own beginning the next reading goes
	// back: clocks of replicas differ, and a session's end is stored later than
	// it is dated.
	revokedOverlap = 3 * time.Minute
)

// Revoked returns a page of the ended sessions whose access tokens may still
// live. A reading has two parts: first the sessions that a new epoch has killed
// and that are not marked yet, by user, then those that are marked as ended, by
// time. In this order, because a session that is marked meanwhile is in both.
func (s *sessions) Revoked(ctx context.Context, cursor string) (contract.RevokedReply, error) {
	now := s.now()
	c, ok := parseRevokedCursor(cursor)
	if !ok {
		return contract.RevokedReply{}, fault.Invalid("cursor", "is none that was given out")
	}
	if !c.within {
		c = c.begin(now, s.until(contract.NewTime(now)).Sub(now))
	}
	var list []contract.RevokedSession
	var more bool
	var err error
	if c.unmarked {
		list, more, err = s.unmarkedPage(ctx, &c)
	} else {
		list, more, err = s.markedPage(ctx, &c, now)
	}
	if err != nil {
		return contract.RevokedReply{}, err
	}
	c.within = more
	return contract.RevokedReply{Sessions: list, Cursor: c.String(), More: more}, nil
}

// unmarkedPage lists sessions that are dead only by their user's epoch. There
// is always more after it: the marked ones.
func (s *sessions) unmarkedPage(ctx context.Context, c *revokedCursor) (list []contract.RevokedSession, more bool, err error) {
	users, err := s.store.EndingUsers(ctx, c.after, maxEnding)
	if err != nil {
		return nil, false, err
	}
	for _, user := range users {
		if len(list) >= revokedPage {
			return list, true, nil
		}
		open, err := s.store.OpenSessions(ctx, user.ID)
		if err != nil {
			return nil, false, err
		}
		for _, session := range open {
			if user.killed(session) {
				list = append(list, contract.RevokedSession{SessionID: session.ID, Until: s.until(latest(user.ValidFrom, session.LastUsedAt))})
			}
		}
		c.after = user.ID
	}
	if len(users) < maxEnding {
		c.unmarked, c.after = false, ""
	}
	return list, true, nil
}

// markedPage lists sessions by when they were marked as ended.
func (s *sessions) markedPage(ctx context.Context, c *revokedCursor, now time.Time) (list []contract.RevokedSession, more bool, err error) {
	ended, err := s.store.Ended(ctx, EndedPlace{At: c.since, ID: c.after}, revokedPage)
	if err != nil {
		return nil, false, err
	}
	for _, session := range ended {
		if until := s.until(session.EndedAt); until.After(now) {
			list = append(list, contract.RevokedSession{SessionID: session.ID, Until: until})
		}
	}
	if len(ended) > 0 {
		last := ended[len(ended)-1]
		c.since, c.after = last.EndedAt, last.ID
	}
	return list, len(ended) == revokedPage, nil
}

func latest(a, b contract.Time) contract.Time {
	if b.After(a.Time) {
		return b
	}
	return a
}

// revokedCursor is where a reading of ended sessions goes on, or where the next
// one begins.
type revokedCursor struct {
	within   bool          // a reading has begun and goes on
	next     contract.Time // where the reading after this one begins
	unmarked bool          // the first part is being read
	since    contract.Time // of the second part
	after    string        // in the first part a user's id, in the second a session's; may be empty
}

// begin begins a reading. It lists nothing that ended longer ago than back, for
// that matters no more.
func (c revokedCursor) begin(now time.Time, back time.Duration) revokedCursor {
	next := contract.NewTime(now.Add(-revokedOverlap))
	since := c.next
	if since.After(next.Time) { // of a clock that was ahead
		since = next
	}
	return revokedCursor{within: true, next: next, unmarked: true, since: latest(contract.NewTime(now.Add(-back)), since)}
}

// String is NEXT between readings, and NEXT.PART.SINCE.AFTER within one. Ids
// have no dots.
func (c revokedCursor) String() string {
	if !c.within {
		return strconv.FormatInt(c.next.UnixMilli(), 10)
	}
	part := "marked"
	if c.unmarked {
		part = "unmarked"
	}
	return fmt.Sprintf("%d.%s.%d.%s", c.next.UnixMilli(), part, c.since.UnixMilli(), c.after)
}

// parseRevokedCursor reads what String wrote; an empty one begins with all that
// matters.
func parseRevokedCursor(text string) (c revokedCursor, ok bool) {
	if text == "" {
		return revokedCursor{next: contract.FromMilli(0)}, true
	}
	parts := strings.Split(text, ".")
	next, err := strconv.ParseInt(parts[0], 10, 64)
	c.next = contract.FromMilli(next)
	if err != nil || len(parts) == 1 {
		return c, err == nil
	}
	if len(parts) != 4 || parts[1] != "unmarked" && parts[1] != "marked" || parts[3] != "" && !contract.ValidID(parts[3]) {
		return c, false
	}
	since, err := strconv.ParseInt(parts[2], 10, 64)
	c.within, c.unmarked, c.since, c.after = true, parts[1] == "unmarked", contract.FromMilli(since), parts[3]
	return c, err == nil
}
