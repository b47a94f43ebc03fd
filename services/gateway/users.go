package gateway

import (
	"context"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
)

// maxAccount is the most characters that can be looked for: the longest
// account has half of it.
const maxAccount = 64

func (a *api) getMe(r *request) (answer, error) {
	me, err := ask(r.ctx, a, contract.GetMe, contract.GetMeRequest{Caller: r.caller})
	if err != nil {
		return answer{}, err
	}
	return ok200(me), nil
}

// profileBody is what to change of a profile; nil: nothing.
type profileBody struct {
	Nickname  *string       `json:"nickname"`
	Sex       *contract.Sex `json:"sex"`
	AvatarURL *string       `json:"avatar_url"`
}

func (a *api) updateMe(r *request) (answer, error) {
	var body profileBody
	if err := r.decode(&body); err != nil {
		return answer{}, err
	}
	me, err := ask(r.ctx, a, contract.UpdateMe, contract.UpdateMeRequest{
		Caller: r.caller, Nickname: body.Nickname, Sex: body.Sex, AvatarURL: body.AvatarURL,
	})
	if err != nil {
		return answer{}, err
	}
	return ok200(me), nil
}

func (a *api) findUser(r *request) (answer, error) {
	account, err := r.text("account", maxAccount)
	if err != nil {
		return answer{}, err
	}
	if err := a.limiter.Allow(r.ctx, a.buckets.searches, r.caller.UserID); err != nil {
		return answer{}, err
	}
	found, err := ask(r.ctx, a, contract.FindUser, contract.FindUserRequest{Account: account})
	if err != nil {
		return answer{}, err
	}
	return a.profileAnswer(r, found)
}

func (a *api) getUser(r *request) (answer, error) {
	userID, err := r.pathID("id", "user")
	if err != nil {
		return answer{}, err
	}
	found, err := a.profiles(r.ctx, []string{userID})
	if err != nil {
		return answer{}, err
	}
	profile, ok := found[userID]
	if !ok {
		return answer{}, fault.New(fault.NotFound, "there is no such user")
	}
	return a.profileAnswer(r, profile)
}

// profileAnswer adds whether the user is a friend of who asks.
func (a *api) profileAnswer(r *request, profile contract.Profile) (answer, error) {
	friends, err := ask(r.ctx, a, contract.AreFriends, contract.AreFriendsRequest{Caller: r.caller, UserIDs: []string{profile.ID}})
	if err != nil {
		return answer{}, err
	}
	return ok200(contract.UserProfile{Profile: profile, IsFriend: len(friends.UserIDs) > 0}), nil
}

// profiles asks for users, at most 200. Those that are no more are missing.
func (a *api) profiles(ctx context.Context, userIDs []string) (map[string]contract.Profile, error) {
	if len(userIDs) == 0 {
		return map[string]contract.Profile{}, nil
	}
	reply, err := ask(ctx, a, contract.GetUsers, contract.GetUsersRequest{UserIDs: userIDs})
	if err != nil {
		return nil, err
	}
	found := make(map[string]contract.Profile, len(reply.Users))
	for _, profile := range reply.Users {
		found[profile.ID] = profile
	}
	return found, nil
}

// known is the user's profile, or, for one who is no more, their id alone.
func known(found map[string]contract.Profile, userID string) contract.Profile {
	if profile, ok := found[userID]; ok {
		return profile
	}
	return contract.Profile{ID: userID}
}
