package gateway

import (
	"context"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/rpc"
)

// Who is disabled or erased has no profile any more: friends don't see them,
// fellow members see that someone is there.
func TestHTTP_people_who_are_gone(t *testing.T) {
	w := newWorld(t, nil)
	nc, err := nats.Connect(w.nats.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	auth := rpc.NewServer(nc, rpc.ServerOptions{Service: contract.Auth})
	rpc.Handle(auth, contract.GetUsers, func(context.Context, contract.GetUsersRequest) (contract.GetUsersReply, error) {
		return contract.GetUsersReply{Users: []contract.Profile{{ID: "bob", Nickname: "Bob"}}}, nil
	})
	background(t, auth.Run)
	social := rpc.NewServer(nc, rpc.ServerOptions{Service: contract.Social})
	rpc.Handle(social, contract.ListFriends, func(context.Context, contract.ListFriendsRequest) (contract.FriendPage, error) {
		return contract.FriendPage{Items: []contract.Friend{{UserID: "gone"}, {UserID: "bob"}}, NextCursor: "next"}, nil
	})
	rpc.Handle(social, contract.ListMembers, func(context.Context, contract.ListMembersRequest) (contract.MemberPage, error) {
		return contract.MemberPage{Items: []contract.Member{{UserID: "gone"}, {UserID: "bob"}}}, nil
	})
	rpc.Handle(social, contract.AreFriends, func(context.Context, contract.AreFriendsRequest) (contract.AreFriendsReply, error) {
		return contract.AreFriendsReply{}, nil
	})
	background(t, social.Run)
	get := func(path string) (int, string) {
		status, _, body := w.do(t, "GET", "/api/v1"+path, "", "Authorization", "Bearer "+w.token(t, "ann", "s1"))
		return status, body
	}
	eventually(t, "the services answer", func() bool { status, _ := get("/rooms/r1/members"); return status == 200 })
	if status, body := get("/friends"); status != 200 || strings.Contains(body, "gone") || !strings.Contains(body, `"Bob"`) || !strings.Contains(body, `"next_cursor":"next"`) {
		t.Errorf("friends: %d %s", status, body)
	}
	if _, body := get("/rooms/r1/members"); !strings.Contains(body, `"id":"gone","account":"","nickname":""`) {
		t.Errorf("members: %s", body)
	}
	if status, body := get("/users/gone"); status != 404 {
		t.Errorf("a profile: %d %s", status, body)
	}
}
