package social

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/contract/contracttest"
)

// TestReplies_fit has the largest of all that social sends and is sent, with the
// longest ids and texts, written as JSON at their longest.
func TestReplies_fit(t *testing.T) {
	now, seq := contract.NewTime(time.Now()), int64(math.MaxInt64)
	id, name := strings.Repeat("x", 64), strings.Repeat("\u2028", maxName)
	reason := strings.Repeat("\u2028", contract.MaxReason)
	caller, act := contract.Caller{UserID: id, SessionID: id}, contract.Act{By: id, Reason: reason, AskedAt: now}
	avatar := "https://example.org/" + strings.Repeat("\u2028", (2048-20)/3) // of bytes
	profile := contract.Profile{ID: id, Account: id[:32], Nickname: name, Sex: 2, AvatarURL: avatar}
	info := contract.RoomInfo{
		ID: id, Type: contract.RoomDirect, Name: name, PeerID: id, Role: contract.RoleMember, History: contract.HistoryJoined,
		MemberCount: memberLimit, FirstSeq: seq, Rev: seq, CreatedAt: now,
	}
	member := contract.Member{UserID: id, Role: contract.RoleMember, JoinedAt: now}
	members := contract.MemberPage{Items: slices.Repeat([]contract.Member{member}, contract.MaxPage), NextCursor: id + id}
	membership := contract.Membership{RoomID: id, Type: contract.RoomDirect, Role: contract.RoleMember, FirstSeq: seq, Rev: seq, JoinedAt: now}
	page := contract.ExportPage{NextCursor: id}
	for range exportPage {
		if err := page.Add(exported(contract.RoomInfo{ID: id, Type: contract.RoomGroup, Name: name, Role: contract.RoleMember}, now)); err != nil {
			t.Fatal(err)
		}
	}
	ids := slices.Repeat([]string{id}, contract.MaxPage)
	all := slices.Repeat([]string{id}, memberLimit)
	adminRoom := contract.AdminRoom{ID: id, Name: name, OwnerID: id, CreatedAt: now, Rev: seq}
	audit := contract.AuditEvent{By: id, Reason: reason, Action: name, UserID: id, RoomID: id}
	roomEvent := contract.RoomEvent{RoomID: id, Rev: seq, By: id, Left: []string{id}, Members: wireMembers(slices.Repeat([]Member{{
		UserID: id, Role: contract.RoleMember, FirstSeq: seq, JoinedAt: now,
	}}, contract.MaxPage))}
	made := roomEvent
	made.Members = slices.Repeat(roomEvent.Members[:1], memberLimit)

	contracttest.Fits(t, contract.Social, contracttest.Largest{
		Requests: map[string]any{
			contract.AddFriend.Name: nil, contract.RemoveFriend.Name: nil, contract.ListFriends.Name: nil,
			contract.AreFriends.Name: contract.AreFriendsRequest{Caller: caller, UserIDs: ids},
			contract.CreateRoom.Name: contract.CreateRoomRequest{Caller: caller, Name: name, MemberIDs: all, ClientID: id},
			contract.GetRooms.Name:   contract.GetRoomsRequest{Caller: caller, RoomIDs: ids},
			contract.RenameRoom.Name: nil, contract.DisbandRoom.Name: nil, contract.ListMembers.Name: nil,
			contract.AddMembers.Name: contract.AddMembersRequest{Caller: caller, RoomID: id, UserIDs: ids},
			contract.SetRole.Name:    nil, contract.RemoveMember.Name: nil, contract.GetMembership.Name: nil,
			contract.ListMemberships.Name: slices.Repeat([]contract.MembershipsRequest{{UserID: id, RoomIDs: ids}}, contract.ListMemberships.Grouped),
			contract.ShowRoom.Name:        contract.AdminRoomRequest{Act: act, RoomID: id}, contract.ShowMembers.Name: nil,
			contract.ForceDisband.Name: nil, contract.AnnounceUser.Name: nil, contract.ExportSocial.Name: nil,
			contract.EraseSocial.Name: nil, contract.DiagnoseSocial.Name: nil,
		},
		Replies: map[string]any{
			contract.AddFriend.Name:    contract.AddFriendReply{Status: contract.StatusFriends, RoomID: id, User: profile},
			contract.RemoveFriend.Name: nil,
			contract.ListFriends.Name: contract.FriendPage{NextCursor: id, Items: slices.Repeat([]contract.Friend{{
				UserID: id, RoomID: id, Since: now,
			}}, contract.MaxPage)},
			contract.AreFriends.Name: contract.AreFriendsReply{UserIDs: ids},
			contract.CreateRoom.Name: contract.CreateRoomReply{Room: info},
			contract.GetRooms.Name:   contract.GetRoomsReply{Rooms: slices.Repeat([]contract.RoomInfo{info}, contract.MaxPage)},
			contract.RenameRoom.Name: info, contract.DisbandRoom.Name: nil, contract.ListMembers.Name: members,
			contract.AddMembers.Name: contract.AddMembersReply{Added: ids, Already: ids},
			contract.SetRole.Name:    member, contract.RemoveMember.Name: nil,
			contract.GetMembership.Name:   contract.MembershipReply{Membership: membership},
			contract.ListMemberships.Name: membershipPage(slices.Repeat([]contract.Membership{membership}, 10*contract.MaxRoomPage), ""),
			contract.ShowRoom.Name:        adminRoom, contract.ShowMembers.Name: members, contract.ForceDisband.Name: adminRoom,
			contract.AnnounceUser.Name: nil, contract.ExportSocial.Name: page, contract.EraseSocial.Name: nil,
			contract.DiagnoseSocial.Name: nil, // of one replica: it lists no records
		},
		Pushes: map[string]any{
			string(contract.FriendAdded.Op):   contract.FriendAddedData{User: profile, RoomID: id, Since: now, Rev: seq},
			string(contract.FriendRemoved.Op): nil,
			string(contract.RoomCreated.Op): contract.RoomCreatedData{Room: contract.Room{
				ID: id, Name: name, Peer: &contract.UserProfile{Profile: profile}, CreatedAt: now,
			}, Rev: seq},
			string(contract.RoomUpdated.Op):   contract.RoomUpdatedData{RoomID: id, Name: name, Member: &member, Rev: seq},
			string(contract.RoomDisbanded.Op): nil,
			string(contract.MemberJoined.Op):  contract.MemberJoinedData{RoomID: id, Members: members.Items, By: id, Rev: seq},
			string(contract.MemberLeft.Op):    nil, string(contract.UserDisabled.Op): nil,
		},
		Events: map[string]any{
			contract.FriendshipMade.Name:  contract.FriendshipEvent{RoomID: id, UserIDs: []string{id, id}, By: id, Rev: seq},
			contract.FriendshipEnded.Name: contract.FriendshipEvent{RoomID: id, UserIDs: []string{id, id}, By: id, Rev: seq},
			contract.GroupCreated.Name:    made, contract.GroupRenamed.Name: nil,
			contract.GroupJoined.Name: roomEvent, contract.GroupLeft.Name: roomEvent, contract.GroupRole.Name: roomEvent,
			contract.GroupDisbanded.Name: contract.RoomEvent{RoomID: id, Rev: seq, By: id, Left: all},
			contract.SocialAudit.Name:    audit,
		},
	})
}

// TestMembershipPage: nothing is lost or listed twice over the pages of someone
// with many rooms, while they leave the room that a page ended with.
func TestMembershipPage(t *testing.T) {
	for _, rooms := range []int{0, 1, contract.MaxRoomPage, contract.MaxRoomPage + 1, 10*contract.MaxRoomPage + 7} {
		t.Run(fmt.Sprint(rooms), func(t *testing.T) {
			var all []contract.Membership
			for i := range rooms {
				all = append(all, contract.Membership{RoomID: fmt.Sprintf("room-%05d", (i*7919)%rooms), Rev: int64(i)})
			}
			seen := map[string]bool{}
			pages, cursor := 0, ""
			for {
				page := membershipPage(all, cursor)
				pages++
				for _, id := range page.RoomIDs {
					if seen[id] {
						t.Fatalf("%s is listed twice", id)
					}
					seen[id] = true
				}
				if cursor = page.NextCursor; cursor == "" {
					break
				}
				all = slices.DeleteFunc(all, func(m contract.Membership) bool { return m.RoomID == cursor })
			}
			if want := max(1, (rooms+contract.MaxRoomPage-1)/contract.MaxRoomPage); len(seen) != rooms || pages != want {
				t.Errorf("%d of %d rooms on %d pages, not %d", len(seen), rooms, pages, want)
			}
		})
	}
}

// The first frame of a connection lists all rooms of its user: clients take
// 8 MiB.
func TestRoomLimit_fits_into_a_frame(t *testing.T) {
	seq := int64(math.MaxInt64)
	head := contract.RoomHead{ID: strings.Repeat("x", 64), FirstSeq: seq, LastSeq: seq, ReadSeq: seq}
	frame, err := contract.Ready.Encode(contract.ReadyData{Rooms: slices.Repeat([]contract.RoomHead{head}, roomLimit)})
	if err != nil || len(frame) > 8<<20 {
		t.Errorf("%d bytes, %v", len(frame), err)
	}
}
