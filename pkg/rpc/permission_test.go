package rpc_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/rpc"
)

// What contract permits a service and its callers is all that rpc needs:
// discovery, both kinds of subject, answers and refusals.
func TestPermissions_suffice(t *testing.T) {
	ns := startNATS(t, func(o *server.Options) {
		o.Users = []*server.User{user(contract.Chat), user(contract.Gateway)}
	})
	as := func(s contract.Service) *nats.Conn {
		return connect(t, ns, nats.UserInfo(string(s), "p"), nats.CustomInboxPrefix(s.InboxPrefix()))
	}
	s := rpc.NewServer(as(contract.Chat), options())
	rpc.Handle(s, contract.SendMessage, func(_ context.Context, r contract.SendRequest) (contract.SendReply, error) {
		if r.RoomID == "" {
			return contract.SendReply{}, fault.Invalid("room_id", "is missing")
		}
		return contract.SendReply{RoomID: r.RoomID, ID: s.Replica()}, nil
	})
	start(t, s)

	gateway := as(contract.Gateway)
	replicas, err := rpc.Replicas(within(t, 5*time.Second), gateway, contract.Chat, 0)
	if err != nil || !slices.Equal(replicas, []string{s.Replica()}) {
		t.Fatalf("got %v, %v; want %s", replicas, err, s.Replica())
	}
	c := rpc.NewClient(gateway, rpc.ClientOptions{})
	for name, opts := range map[string][]rpc.CallOption{
		"any": nil, "pinned": {rpc.To(s.Replica())}, "pinned to one that is gone": {rpc.To("gone")},
	} {
		t.Run(name, func(t *testing.T) {
			rep, err := rpc.Call(within(t, 5*time.Second), c, contract.SendMessage, contract.SendRequest{RoomID: "r"}, opts...)
			if err != nil || rep.ID != s.Replica() {
				t.Errorf("got %+v, %v", rep, err)
			}
			_, err = rpc.Call(within(t, 5*time.Second), c, contract.SendMessage, contract.SendRequest{}, opts...)
			wantCode(t, err, fault.InvalidArgument)
		})
	}
}

func user(s contract.Service) *server.User {
	p := contract.Permissions(s)
	perms := &server.Permissions{
		Publish:   &server.SubjectPermission{Allow: p.PublishAllow, Deny: p.PublishDeny},
		Subscribe: &server.SubjectPermission{Allow: p.SubscribeAllow, Deny: p.SubscribeDeny},
	}
	if p.AllowResponses {
		perms.Response = &server.ResponsePermission{MaxMsgs: 1, Expires: time.Minute}
	}
	return &server.User{Username: string(s), Password: "p", Permissions: perms}
}
