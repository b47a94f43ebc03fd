package social

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/shownname"
)

// maxName is the most characters of a room's name.
const maxName = 64

func checkAddFriend(req *contract.AddFriendRequest) error {
	var check fault.Check
	checkCaller(&check, req.Caller)
	req.Account = strings.TrimSpace(req.Account)
	switch {
	case req.Account == "" && req.UserID == "":
		check.That(false, "account", "or user_id is needed")
	case req.Account != "" && req.UserID != "":
		check.That(false, "account", "and user_id can't both be given")
	case req.UserID != "":
		check.That(contract.ValidID(req.UserID), "user_id", "must be an id")
		check.That(req.UserID != req.Caller.UserID, "user_id", "is your own")
	}
	return check.Err()
}

func checkCreateRoom(req *contract.CreateRoomRequest) error {
	var check fault.Check
	checkCaller(&check, req.Caller)
	checkName(&check, &req.Name)
	check.That(req.ClientID == "" || contract.ValidID(req.ClientID), "client_id", "must be 1 to 64 of A-Z, a-z, 0-9, _ and -")
	for i, userID := range req.MemberIDs {
		check.That(contract.ValidID(userID), fmt.Sprintf("member_ids[%d]", i), "must be an id")
	}
	if req.History == "" {
		req.History = contract.HistoryJoined
	}
	check.That(req.History == contract.HistoryJoined || req.History == contract.HistoryAll, "history", "must be joined or all")
	return check.Err()
}

// checkName trims a room's name and checks what is left.
func checkName(check *fault.Check, name *string) {
	*name = strings.TrimSpace(*name)
	n := utf8.RuneCountInString(*name)
	check.That(1 <= n && n <= maxName, "name", "must be 1 to 64 characters")
	check.That(utf8.ValidString(*name), "name", "must be UTF-8")
	shownname.Check(check, "name", *name)
}

// checkRoom ends a check with the room's id: no room has an unsafe one.
func checkRoom(check *fault.Check, caller contract.Caller, roomID string) error {
	checkCaller(check, caller)
	if err := check.Err(); err != nil {
		return err
	}
	if !contract.ValidID(roomID) {
		return errNoRoom
	}
	return nil
}

// checkPage puts the default limit in place of none.
func checkPage(caller contract.Caller, limit *int, cursor string) error {
	var check fault.Check
	checkCaller(&check, caller)
	checkCursor(&check, limit, cursor)
	return check.Err()
}

func checkCursor(check *fault.Check, limit *int, cursor string) {
	checkLimit(check, limit)
	check.That(cursor == "" || contract.ValidID(cursor), "cursor", badCursor)
}

const badCursor = "is none that was given out"

func checkLimit(check *fault.Check, limit *int) {
	if *limit == 0 {
		*limit = contract.DefaultPage
	}
	check.That(1 <= *limit && *limit <= contract.MaxPage, "limit", "must be 1 to 200")
}

// checkMemberCursor is checkCursor for a list of members, and reads the cursor.
func checkMemberCursor(check *fault.Check, limit *int, cursor string) memberCursor {
	checkLimit(check, limit)
	after, ok := parseMemberCursor(cursor)
	check.That(ok, "cursor", badCursor)
	return after
}

func checkIDs(caller contract.Caller, field string, ids []string) error {
	var check fault.Check
	checkCaller(&check, caller)
	check.That(len(ids) > 0, field, "must not be empty")
	check.That(len(ids) <= contract.MaxPage, field, "must be at most 200")
	for i, v := range ids {
		check.That(contract.ValidID(v), fmt.Sprintf("%s[%d]", field, i), "must be an id")
	}
	return check.Err()
}

func checkCaller(check *fault.Check, caller contract.Caller) {
	check.That(contract.ValidID(caller.UserID), "caller", "must be a user")
}

func checkMemberships(req contract.MembershipsRequest) error {
	var check fault.Check
	check.That(contract.ValidID(req.UserID), "user_id", "must be an id")
	check.That(len(req.RoomIDs) <= contract.MaxPage, "room_ids", "must be at most 200")
	check.That(req.Cursor == "" || contract.ValidID(req.Cursor) && len(req.RoomIDs) == 0, "cursor", badCursor)
	return check.Err()
}
