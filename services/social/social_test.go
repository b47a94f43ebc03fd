package social_test

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-im/parley/pkg/bus"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/id"
	"github.com/parley-im/parley/pkg/rpc"
	"github.com/parley-im/parley/pkg/telemetry"
	"github.com/parley-im/parley/services/social"
)

// world is a NATS server, two other services that know the users u…, and a
// store file.
type world struct {
	url   string
	store string
	nc    *nats.Conn
	calls *rpc.Client
}

func newWorld(t *testing.T) *world {
	t.Helper()
	srv, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, NoSigs: true, NoLog: true, JetStream: true, StoreDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	srv.Start()
	t.Cleanup(func() { srv.Shutdown(); srv.WaitForShutdown() })
	if !srv.ReadyForConnections(10 * time.Second) {
		t.Fatal("the NATS server does not start")
	}
	w := &world{url: srv.ClientURL(), store: "sqlite:" + filepath.Join(t.TempDir(), "social.db")}
	w.nc = w.connect(t)
	w.calls = rpc.NewClient(w.nc, rpc.ClientOptions{})
	auth := rpc.NewServer(w.connect(t), rpc.ServerOptions{Service: contract.Auth})
	profile := func(userID string) contract.Profile {
		return contract.Profile{ID: userID, Account: "account." + userID}
	}
	rpc.Handle(auth, contract.GetUsers, func(_ context.Context, req contract.GetUsersRequest) (reply contract.GetUsersReply, _ error) {
		for _, userID := range req.UserIDs {
			if strings.HasPrefix(userID, "u") {
				reply.Users = append(reply.Users, profile(userID))
			}
		}
		return reply, nil
	})
	rpc.Handle(auth, contract.FindUser, func(_ context.Context, req contract.FindUserRequest) (contract.Profile, error) {
		userID, ok := strings.CutPrefix(req.Account, "account.")
		if !ok {
			return contract.Profile{}, fault.New(fault.NotFound, "no such user")
		}
		return profile(userID), nil
	})
	chat := rpc.NewServer(w.connect(t), rpc.ServerOptions{Service: contract.Chat})
	rpc.Handle(chat, contract.GetHead, func(context.Context, contract.HeadRequest) (contract.HeadReply, error) {
		return contract.HeadReply{LastSeq: 41}, nil
	})
	background(t, auth.Run)
	background(t, chat.Run)
	return w
}

// background runs a part until the test ends, or stop is called.
func background(t *testing.T, f func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f(ctx) }() // ended by cancel, joined by stop
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(stop)
	return stop
}

func (w *world) connect(t *testing.T) *nats.Conn {
	t.Helper()
	nc, err := nats.Connect(w.url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

// start runs a replica of the service.
func (w *world) start(t *testing.T) (stop func()) {
	t.Helper()
	tel := telemetry.Discard(contract.Social)
	cfg := social.Config{
		Store: w.store, MaxMembers: 2000, MaxRooms: 5000, Workers: 64, RPCQueue: 256,
		NATS: bus.Config{URL: w.url}, Stream: bus.StreamConfig{Replicas: 1},
	}
	stop = background(t, func(ctx context.Context) error { return social.Run(ctx, cfg, social.Deps{Telemetry: tel}) })
	waitFor(t, "the replica is ready", func() bool {
		replicas, err := rpc.Replicas(t.Context(), w.nc, contract.Social, 100*time.Millisecond)
		return err == nil && len(replicas) > 0 && tel.Health.Ready(t.Context()) == nil
	})
	return stop
}

func waitFor(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("in vain: %s", what)
		}
	}
}

func call[Req, Rep any](t *testing.T, w *world, m contract.Method[Req, Rep], req Req) Rep {
	t.Helper()
	reply, err := rpc.Call(t.Context(), w.calls, m, req)
	if err != nil {
		t.Fatalf("%s: %v", m.Name, err)
	}
	return reply
}

func as(userID string) contract.Caller { return contract.Caller{UserID: userID, SessionID: "s"} }

// events reads IM_EVENTS from its start until it has n.
func (w *world) events(t *testing.T, n int) []jetstream.Msg {
	t.Helper()
	js, err := jetstream.New(w.nc)
	if err != nil {
		t.Fatal(err)
	}
	var list []jetstream.Msg
	waitFor(t, fmt.Sprintf("%d events", n), func() bool {
		consumer, err := js.OrderedConsumer(t.Context(), contract.StreamName, jetstream.OrderedConsumerConfig{})
		if err != nil {
			return false
		}
		batch, err := consumer.FetchNoWait(1000)
		if err != nil {
			return false
		}
		list = nil
		for m := range batch.Messages() {
			list = append(list, m)
		}
		return len(list) >= n
	})
	if len(list) != n {
		t.Fatalf("%d events, want %d", len(list), n)
	}
	return list
}

func TestService_tells_people_at_once(t *testing.T) {
	w := newWorld(t)
	w.start(t)
	w.start(t) // either may answer
	pushes, err := w.nc.SubscribeSync("im.>")
	if err != nil {
		t.Fatal(err)
	}
	want := func(subjects ...string) {
		t.Helper()
		slices.Sort(subjects)
		var got []string
		for len(got) < len(subjects) {
			m, err := pushes.NextMsg(10 * time.Second)
			if err != nil {
				t.Fatalf("got %q, want %q: %v", got, subjects, err)
			}
			if strings.HasPrefix(m.Subject, "im.room.") || strings.HasPrefix(m.Subject, "im.user.") {
				got = append(got, m.Subject)
			}
		}
		if slices.Sort(got); !slices.Equal(got, subjects) {
			t.Fatalf("got %q, want %q", got, subjects)
		}
	}
	added := call(t, w, contract.AddFriend, contract.AddFriendRequest{Caller: as("u1"), Account: "account.u2"})
	direct := added.RoomID
	want("im.user.u1.room.created", "im.user.u2.room.created", "im.user.u1.friend.added", "im.user.u2.friend.added", "im.room."+direct+".room.updated")
	call(t, w, contract.AddFriend, contract.AddFriendRequest{Caller: as("u1"), UserID: "u3"})
	want("im.user.u1.room.created", "im.user.u3.room.created", "im.user.u1.friend.added", "im.user.u3.friend.added", "im.room."+id.Pair("u1", "u3")+".room.updated")
	room := call(t, w, contract.CreateRoom, contract.CreateRoomRequest{Caller: as("u1"), Name: "g", MemberIDs: []string{"u2"}}).Room.ID
	want("im.user.u1.room.created", "im.user.u2.room.created")
	if got := call(t, w, contract.AddMembers, contract.AddMembersRequest{Caller: as("u1"), RoomID: room, UserIDs: []string{"u3"}}); !slices.Equal(got.Added, []string{"u3"}) {
		t.Fatalf("added %+v", got)
	}
	want("im.user.u3.room.created", "im.room."+room+".member.joined")
	call(t, w, contract.RenameRoom, contract.RenameRoomRequest{Caller: as("u1"), RoomID: room, Name: "h"})
	want("im.room." + room + ".room.updated")
	call(t, w, contract.RemoveMember, contract.RemoveMemberRequest{Caller: as("u3"), RoomID: room, UserID: "u3"})
	want("im.room." + room + ".member.left")
	call(t, w, contract.DisbandRoom, contract.RoomRequest{Caller: as("u1"), RoomID: room})
	want("im.room." + room + ".room.disbanded")
	call(t, w, contract.RemoveFriend, contract.RemoveFriendRequest{Caller: as("u2"), UserID: "u1"})
	want("im.user.u1.friend.removed", "im.user.u2.friend.removed", "im.room."+direct+".room.updated")
}

// A replica that dies after it has stored a change and before it could report
// it: whoever starts next does.
func TestService_reports_what_a_dead_one_stored(t *testing.T) {
	w := newWorld(t)
	store, err := social.OpenStore(t.Context(), w.store)
	if err != nil {
		t.Fatal(err)
	}
	f := social.Friendship{ID: id.Pair("u1", "u2"), A: "u1", B: "u2", State: social.StateFriends, Rev: 1}
	e, err := contract.FriendshipMade.New(id.New(), f.ID, time.Now(), contract.FriendshipEvent{RoomID: f.ID, UserIDs: []string{"u1", "u2"}, Rev: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.SaveFriendship(t.Context(), f, []contract.Event{e}); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	w.start(t)
	if got := w.events(t, 1)[0]; got.Subject() != e.Subject || string(got.Data()) != string(e.Payload) || got.Headers().Get(nats.MsgIdHdr) != e.ID {
		t.Fatalf("got %s %s", got.Subject(), got.Data())
	}
}

// TestEvents_rebuild_the_store plays IM_EVENTS from its start and ends with
// the same friendships, rooms and members as the store.
func TestEvents_rebuild_the_store(t *testing.T) {
	w := newWorld(t)
	stop := w.start(t)
	for _, other := range []string{"u2", "u3", "u4", "u5"} {
		call(t, w, contract.AddFriend, contract.AddFriendRequest{Caller: as("u1"), UserID: other})
	}
	call(t, w, contract.RemoveFriend, contract.RemoveFriendRequest{Caller: as("u1"), UserID: "u5"})
	first := call(t, w, contract.CreateRoom, contract.CreateRoomRequest{Caller: as("u1"), Name: "a", MemberIDs: []string{"u2", "u3"}}).Room.ID
	second := call(t, w, contract.CreateRoom, contract.CreateRoomRequest{Caller: as("u1"), Name: "b", MemberIDs: []string{"u2"}}).Room.ID
	call(t, w, contract.SetRole, contract.SetRoleRequest{Caller: as("u1"), RoomID: first, UserID: "u3", Role: contract.RoleAdmin})
	call(t, w, contract.AddMembers, contract.AddMembersRequest{Caller: as("u1"), RoomID: first, UserIDs: []string{"u4"}})
	stop() // a rolling restart in the middle
	w.start(t)
	call(t, w, contract.RemoveMember, contract.RemoveMemberRequest{Caller: as("u1"), RoomID: first, UserID: "u1"}) // u3 takes over
	call(t, w, contract.DisbandRoom, contract.RoomRequest{Caller: as("u1"), RoomID: second})

	friends, members := map[string]bool{}, map[string]map[string]contract.RoomMember{}
	for _, m := range w.events(t, 11) {
		var body contract.EventBody[json.RawMessage]
		if err := json.Unmarshal(m.Data(), &body); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(body.Type, "social.friendship.") {
			var d contract.FriendshipEvent
			_ = json.Unmarshal(body.Data, &d)
			friends[d.RoomID] = body.Type == "social.friendship.made"
			continue
		}
		var d contract.RoomEvent
		if err := json.Unmarshal(body.Data, &d); err != nil {
			t.Fatal(err)
		}
		if members[d.RoomID] == nil {
			members[d.RoomID] = map[string]contract.RoomMember{}
		}
		for _, member := range d.Members {
			members[d.RoomID][member.UserID] = member
		}
		for _, userID := range d.Left {
			delete(members[d.RoomID], userID)
		}
	}
	store, err := social.OpenStore(t.Context(), w.store)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	for pair, are := range friends {
		if f, err := store.Friendship(t.Context(), pair); err != nil || (f.State == social.StateFriends) != are {
			t.Errorf("friendship %+v, rebuilt %v, %v", f, are, err)
		}
	}
	for roomID, rebuilt := range members {
		room, err := store.Room(t.Context(), roomID)
		if err != nil || len(room.Members) != len(rebuilt) || room.Disbanded != (len(rebuilt) == 0) {
			t.Errorf("room %+v, rebuilt %+v, %v", room, rebuilt, err)
			continue
		}
		for _, m := range room.Members {
			if got := rebuilt[m.UserID]; got.Role != m.Role || got.FirstSeq != m.FirstSeq {
				t.Errorf("member %+v, rebuilt %+v", m, got)
			}
		}
	}
	if len(friends) != 4 || len(members) != 2 || members[first]["u4"].FirstSeq != 42 || members[first]["u3"].Role != contract.RoleOwner {
		t.Fatalf("rebuilt %v and %+v", friends, members)
	}
}

func TestService_lists_memberships_behind_a_cursor(t *testing.T) {
	w := newWorld(t)
	w.start(t)
	befriend(t, w, "u1", "u2", "u3", "u4")
	all := call(t, w, contract.ListMemberships, contract.MembershipsRequest{UserID: "u1"})
	rooms := slices.Sorted(slices.Values(all.RoomIDs))
	if len(rooms) != 3 || all.NextCursor != "" {
		t.Fatalf("all are %+v", all)
	}
	rest := call(t, w, contract.ListMemberships, contract.MembershipsRequest{UserID: "u1", Cursor: rooms[0]})
	if !slices.Equal(rest.RoomIDs, rooms[1:]) || len(rest.Revs) != 2 || rest.NextCursor != "" {
		t.Errorf("behind the first are %+v", rest)
	}
	refused(t, w, fault.InvalidArgument, contract.ListMemberships, contract.MembershipsRequest{UserID: "u1", Cursor: "a.b"})
	refused(t, w, fault.InvalidArgument, contract.ListMemberships, contract.MembershipsRequest{UserID: "u1", Cursor: rooms[0], RoomIDs: rooms})
}
