package social

import (
	"cmp"
	"slices"

	"github.com/parley-im/parley/pkg/contract"
)

// membershipPage cuts the page behind a room's id out of all of a user's rooms.
// It sorts them only if there are several pages: nearly everybody has one.
func membershipPage(all []contract.Membership, after string) contract.MembershipsReply {
	if after == "" && len(all) <= contract.MaxRoomPage {
		return contract.NewMembershipsReply(all)
	}
	rest := slices.DeleteFunc(slices.Clone(all), func(m contract.Membership) bool { return m.RoomID <= after })
	slices.SortFunc(rest, func(a, b contract.Membership) int { return cmp.Compare(a.RoomID, b.RoomID) })
	if len(rest) <= contract.MaxRoomPage {
		return contract.NewMembershipsReply(rest)
	}
	page := contract.NewMembershipsReply(rest[:contract.MaxRoomPage])
	page.NextCursor = rest[contract.MaxRoomPage-1].RoomID
	return page
}
