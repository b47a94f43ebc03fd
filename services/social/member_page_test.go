package social

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
)

// TestPageOf reads the members page by page, while the member at the cursor,
// and another before, leave after each of the first pages.
func TestPageOf(t *testing.T) {
	start := time.UnixMilli(1_700_000_000_000)
	for name, step := range map[string]time.Duration{"joined one by one": time.Hour, "joined at once": 0} {
		t.Run(name, func(t *testing.T) {
			var members []Member
			for i := range 2000 {
				members = append(members, Member{UserID: fmt.Sprintf("u%04d", i), Role: contract.RoleMember, JoinedAt: contract.NewTime(start.Add(time.Duration(i) * step))})
			}
			seen := map[string]bool{}
			left := map[string]bool{}
			var cursor string
			for pages := 0; ; pages++ {
				after, ok := parseMemberCursor(cursor)
				if !ok {
					t.Fatalf("the cursor %q that was given out is refused", cursor)
				}
				page := pageOf(members, 100, after)
				for _, m := range page.Items {
					seen[m.UserID] = true
				}
				if cursor = page.NextCursor; cursor == "" {
					break
				}
				if pages > 100 {
					t.Fatal("the list has no end")
				}
				if pages >= 5 { // of members who joined in one moment the list begins again each time
					continue
				}
				last := page.Items[len(page.Items)-1].UserID
				left[last], left[members[0].UserID] = true, true
				members = slices.DeleteFunc(members, func(m Member) bool { return left[m.UserID] })
			}
			for _, m := range members {
				if !seen[m.UserID] {
					t.Fatalf("member %s is in no page", m.UserID)
				}
			}
		})
	}
	for _, bad := range []string{"u1", "-u1", "zz", "1-", "1-u 1", "1-*"} {
		if _, ok := parseMemberCursor(bad); ok {
			t.Errorf("cursor %q is taken", bad)
		}
	}
}
