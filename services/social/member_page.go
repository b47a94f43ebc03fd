package social

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/parley-im/parley/pkg/clock"
	"github.com/parley-im/parley/pkg/contract"
)

// memberCursor is the last member of the page before. The time at which they
// joined keeps their place in the list when they have left meanwhile. The zero
// value is the beginning.
type memberCursor struct {
	userID   string
	joinedAt time.Time
}

func cursorOf(m Member) string {
	return strconv.FormatInt(m.JoinedAt.UnixMilli(), 36) + "-" + m.UserID
}

func parseMemberCursor(text string) (memberCursor, bool) {
	if text == "" {
		return memberCursor{}, true
	}
	joined, userID, _ := strings.Cut(text, "-")
	ms, err := strconv.ParseInt(joined, 36, 64)
	if err != nil || !contract.ValidID(userID) {
		return memberCursor{}, false
	}
	return memberCursor{userID: userID, joinedAt: time.UnixMilli(ms)}, true
}

// pageOf cuts the page behind the cursor out of the members, the
// longest-serving first.
func pageOf(members []Member, limit int, after memberCursor) contract.MemberPage {
	members = members[after.next(members):]
	page := contract.MemberPage{Items: []contract.Member{}}
	if len(members) > limit {
		members = members[:limit]
		page.NextCursor = cursorOf(members[limit-1])
	}
	for _, m := range members {
		page.Items = append(page.Items, m.wire())
	}
	return page
}

// next is the index of the first member behind the cursor. When its member has
// left, or has left and joined again, it is the first who joined about then,
// since the clocks of replicas differ: some may be listed twice, none is left
// out.
func (c memberCursor) next(members []Member) int {
	if c.userID == "" {
		return 0
	}
	i := slices.IndexFunc(members, func(m Member) bool { return m.UserID == c.userID })
	if i >= 0 && members[i].JoinedAt.UnixMilli() == c.joinedAt.UnixMilli() {
		return i + 1
	}
	from := c.joinedAt.Add(-clock.MaxSkew)
	if i = slices.IndexFunc(members, func(m Member) bool { return !m.JoinedAt.Before(from) }); i >= 0 {
		return i
	}
	return len(members)
}
