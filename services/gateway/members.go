package gateway

import "github.com/parley-im/parley/pkg/contract"

// member is a member of a room as clients see them.
type member struct {
	User     contract.UserProfile `json:"user"`
	Role     contract.Role        `json:"role"`
	JoinedAt contract.Time        `json:"joined_at"`
}

func (a *api) listMembers(r *request) (answer, error) {
	roomID, err := r.roomID()
	if err != nil {
		return answer{}, err
	}
	limit, cursor, err := r.paging()
	if err != nil {
		return answer{}, err
	}
	page, err := ask(r.ctx, a, contract.ListMembers, contract.ListMembersRequest{Caller: r.caller, RoomID: roomID, Limit: limit, Cursor: cursor})
	if err != nil {
		return answer{}, err
	}
	members, err := a.members(r, page.Items)
	if err != nil {
		return answer{}, err
	}
	return listOf(members, page.NextCursor), nil
}

// members adds to members who they are, and whether they are friends of who
// asks.
func (a *api) members(r *request, list []contract.Member) ([]member, error) {
	if len(list) == 0 {
		return nil, nil
	}
	ids := make([]string, len(list))
	for i, m := range list {
		ids[i] = m.UserID
	}
	found, err := a.profiles(r.ctx, ids)
	if err != nil {
		return nil, err
	}
	reply, err := ask(r.ctx, a, contract.AreFriends, contract.AreFriendsRequest{Caller: r.caller, UserIDs: ids})
	if err != nil {
		return nil, err
	}
	friends := make(map[string]bool, len(reply.UserIDs))
	for _, userID := range reply.UserIDs {
		friends[userID] = true
	}
	members := make([]member, len(list))
	for i, m := range list {
		members[i] = member{
			User: contract.UserProfile{Profile: known(found, m.UserID), IsFriend: friends[m.UserID]},
			Role: m.Role, JoinedAt: m.JoinedAt,
		}
	}
	return members, nil
}

// membersBody names the users to take into a group.
type membersBody struct {
	UserIDs []string `json:"user_ids"`
}

func (a *api) addMembers(r *request) (answer, error) {
	roomID, err := r.roomID()
	if err != nil {
		return answer{}, err
	}
	var body membersBody
	if err := r.decode(&body); err != nil {
		return answer{}, err
	}
	if err := a.limiter.AllowAll(r.ctx, a.buckets.joins, r.caller.UserID, len(body.UserIDs)); err != nil {
		return answer{}, err
	}
	reply, err := ask(r.ctx, a, contract.AddMembers, contract.AddMembersRequest{Caller: r.caller, RoomID: roomID, UserIDs: body.UserIDs})
	if err != nil {
		return answer{}, err
	}
	return ok200(reply), nil
}

// roleBody is the role that a member is given.
type roleBody struct {
	Role contract.Role `json:"role"`
}

func (a *api) setRole(r *request) (answer, error) {
	roomID, err := r.roomID()
	if err != nil {
		return answer{}, err
	}
	userID, err := r.pathID("user_id", "member")
	if err != nil {
		return answer{}, err
	}
	var body roleBody
	if err := r.decode(&body); err != nil {
		return answer{}, err
	}
	changed, err := ask(r.ctx, a, contract.SetRole, contract.SetRoleRequest{Caller: r.caller, RoomID: roomID, UserID: userID, Role: body.Role})
	if err != nil {
		return answer{}, err
	}
	members, err := a.members(r, []contract.Member{changed})
	if err != nil {
		return answer{}, err
	}
	return ok200(members[0]), nil
}

func (a *api) removeMember(r *request) (answer, error) {
	roomID, err := r.roomID()
	if err != nil {
		return answer{}, err
	}
	userID, err := r.pathID("user_id", "member")
	if err != nil {
		return answer{}, err
	}
	return done(ask(r.ctx, a, contract.RemoveMember, contract.RemoveMemberRequest{Caller: r.caller, RoomID: roomID, UserID: userID}))
}
