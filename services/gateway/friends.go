package gateway

import "github.com/parley-im/parley/pkg/contract"

// friend is a friend as clients see them.
type friend struct {
	User   contract.UserProfile `json:"user"`
	RoomID string               `json:"room_id"`
	Since  contract.Time        `json:"since"`
}

func (a *api) listFriends(r *request) (answer, error) {
	limit, cursor, err := r.paging()
	if err != nil {
		return answer{}, err
	}
	page, err := ask(r.ctx, a, contract.ListFriends, contract.ListFriendsRequest{Caller: r.caller, Limit: limit, Cursor: cursor})
	if err != nil {
		return answer{}, err
	}
	ids := make([]string, len(page.Items))
	for i, f := range page.Items {
		ids[i] = f.UserID
	}
	found, err := a.profiles(r.ctx, ids)
	if err != nil {
		return answer{}, err
	}
	items := make([]friend, 0, len(page.Items))
	for _, f := range page.Items {
		if profile, ok := found[f.UserID]; ok { // not one who is disabled or erased
			items = append(items, friend{User: contract.UserProfile{Profile: profile, IsFriend: true}, RoomID: f.RoomID, Since: f.Since})
		}
	}
	return listOf(items, page.NextCursor), nil
}

// newFriend answers who befriended a user.
type newFriend struct {
	Status contract.FriendStatus `json:"status"`
	RoomID string                `json:"room_id"`
	User   contract.UserProfile  `json:"user"`
}

// friendBody names the user to befriend by one of the two.
type friendBody struct {
	Account string `json:"account"`
	UserID  string `json:"user_id"`
}

func (a *api) addFriend(r *request) (answer, error) {
	var body friendBody
	if err := r.decode(&body); err != nil {
		return answer{}, err
	}
	if err := a.limiter.Allow(r.ctx, a.buckets.friends, r.caller.UserID); err != nil {
		return answer{}, err
	}
	added, err := ask(r.ctx, a, contract.AddFriend, contract.AddFriendRequest{Caller: r.caller, Account: body.Account, UserID: body.UserID})
	if err != nil {
		return answer{}, err
	}
	return created201(newFriend{Status: added.Status, RoomID: added.RoomID, User: contract.UserProfile{Profile: added.User, IsFriend: true}}), nil
}

func (a *api) removeFriend(r *request) (answer, error) {
	userID, err := r.pathID("user_id", "friend")
	if err != nil {
		return answer{}, err
	}
	return done(ask(r.ctx, a, contract.RemoveFriend, contract.RemoveFriendRequest{Caller: r.caller, UserID: userID}))
}
