package rpc_test

import (
	"context"
	"slices"
	"strings"
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
	replicas, err := rpc.Replicas(within(t, long), gateway, contract.Chat, 0)
	if err != nil || !slices.Equal(replicas, []string{s.Replica()}) {
		t.Fatalf("got %v, %v; want %s", replicas, err, s.Replica())
	}
	c := rpc.NewClient(gateway, rpc.ClientOptions{})
	for name, opts := range map[string][]rpc.CallOption{
		"any": nil, "pinned": {rpc.To(s.Replica())}, "pinned to one that is gone": {rpc.To("gone")},
	} {
		t.Run(name, func(t *testing.T) {
			rep, err := rpc.Call(within(t, long), c, contract.SendMessage, contract.SendRequest{RoomID: "r"}, opts...)
			if err != nil || rep.ID != s.Replica() {
				t.Errorf("got %+v, %v", rep, err)
			}
			_, err = rpc.Call(within(t, long), c, contract.SendMessage, contract.SendRequest{}, opts...)
			wantCode(t, err, fault.InvalidArgument)
		})
	}
}

// Who may call a service cannot have it publish what the caller may not, by
// asking for the answer there.
func TestPermissions_tie_answers_to_inboxes(t *testing.T) {
	ns := startNATS(t, func(o *server.Options) {
		o.Users = []*server.User{user(contract.Auth), user(contract.Chat), user(contract.Gateway), {Username: "all", Password: "p"}}
	})
	as := func(s contract.Service, opts ...nats.Option) *nats.Conn {
		return connect(t, ns, append(opts, nats.UserInfo(string(s), "p"), nats.CustomInboxPrefix(s.InboxPrefix()))...)
	}
	refused := make(chan string, 100)
	o := options()
	o.Service = contract.Auth
	s := rpc.NewServer(as(contract.Auth, nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
		refused <- err.Error()
	})), o)
	rpc.Handle(s, contract.Logout, func(context.Context, contract.LogoutRequest) (contract.Empty, error) {
		return contract.Empty{}, nil
	})
	start(t, s)
	all, gateway := connect(t, ns, nats.UserInfo("all", "p")), as(contract.Gateway)
	for _, reply := range []string{
		"$JS.API.STREAM.DELETE." + contract.StreamName, "im.room.r.message", contract.UserRegistered.Subject() + ".x",
		contract.SendMessage.Subject(), "_INBOX_gateway.1.2", "_INBOX_gateway.chat.1", "_INBOX_chat.auth.1", "elsewhere",
	} {
		arrived := make(chan *nats.Msg, 1)
		if _, err := all.ChanSubscribe(reply, arrived); err != nil {
			t.Fatal(err)
		}
		if err := all.Flush(); err != nil {
			t.Fatal(err)
		}
		for subject, asker := range map[string]*nats.Conn{contract.Logout.Subject(): gateway, "$SRV.PING.auth": all} {
			if err := asker.PublishRequest(subject, reply, []byte(`{}`)); err != nil {
				t.Fatal(err)
			}
			select {
			case err := <-refused:
				if !strings.HasSuffix(err, `"`+reply+`"`) {
					t.Errorf("asked of %s, the answer to %s: %s", subject, reply, err)
				}
			case m := <-arrived:
				t.Errorf("asked of %s, auth published %s to %s", subject, m.Data, reply)
			case <-time.After(long):
				t.Fatalf("asked of %s, the answer to %s: nothing", subject, reply)
			}
		}
	}
}

func user(s contract.Service) *server.User {
	publish, subscribe := contract.Permissions(s).Rules()
	return &server.User{Username: string(s), Password: "p", Permissions: &server.Permissions{
		Publish:   &server.SubjectPermission{Allow: publish.Allow, Deny: publish.Deny},
		Subscribe: &server.SubjectPermission{Allow: subscribe.Allow, Deny: subscribe.Deny},
	}}
}
