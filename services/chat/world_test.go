package chat_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/parley-im/parley/pkg/bus"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/rpc"
	"github.com/parley-im/parley/pkg/run"
	"github.com/parley-im/parley/pkg/telemetry"
	"github.com/parley-im/parley/services/chat"
)

// world is what chat lives in: a NATS server with the permissions of the
// contract, someone who answers for social, and a gateway that asks.
type world struct {
	t        *testing.T
	nats     *server.Server
	observer *nats.Conn
	gateway  *rpc.Client
	admin    *rpc.Client
	social   *social
}

func newWorld(t *testing.T) *world {
	t.Helper()
	users := []*server.User{{Username: "observer"}}
	for _, s := range append(contract.Services(), contract.Admin) {
		p := contract.Permissions(s)
		users = append(users, &server.User{Username: string(s), Permissions: &server.Permissions{
			Publish:   &server.SubjectPermission{Allow: p.PublishAllow, Deny: p.PublishDeny},
			Subscribe: &server.SubjectPermission{Allow: p.SubscribeAllow, Deny: p.SubscribeDeny},
			Response:  &server.ResponsePermission{MaxMsgs: 1, Expires: time.Minute},
		}})
	}
	ns, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true,
		JetStream: true, StoreDir: t.TempDir(), Users: users,
	})
	if err != nil {
		t.Fatal(err)
	}
	ns.Start()
	t.Cleanup(func() { ns.Shutdown(); ns.WaitForShutdown() })
	if !ns.ReadyForConnections(10 * time.Second) {
		t.Fatal("nats-server does not start")
	}
	w := &world{t: t, nats: ns}
	w.observer = w.connect("observer")
	w.gateway = rpc.NewClient(w.connect(contract.Gateway), rpc.ClientOptions{})
	w.admin = rpc.NewClient(w.connect(contract.Admin), rpc.ClientOptions{})
	w.social = newSocial(t, w.connect(contract.Social))
	return w
}

func (w *world) config(as contract.Service) bus.Config {
	return bus.Config{URL: w.nats.ClientURL(), User: string(as)}
}

func (w *world) connect(as contract.Service) *nats.Conn {
	w.t.Helper()
	nc, err := bus.Connect(within(w.t), w.config(as), as, telemetry.Discard(as))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(nc.Close)
	return nc
}

// replica is one chat service.
type replica struct {
	health *telemetry.Health
	cancel context.CancelFunc
	done   chan error
	stop   func() error
}

// start runs a replica on the store until the test ends, and returns once it
// is ready.
func (w *world) start(store string, edit ...func(*chat.Config)) *replica {
	w.t.Helper()
	return w.startOver(store, nil, edit...)
}

// startOver is start with something between the replica and its store.
func (w *world) startOver(store string, wrap func(chat.Store) chat.Store, edit ...func(*chat.Config)) *replica {
	w.t.Helper()
	var cfg chat.Config
	if err := run.Config("CHAT", &cfg); err != nil {
		w.t.Fatal(err)
	}
	cfg.Store, cfg.NATS = store, w.config(contract.Chat)
	for _, f := range edit {
		f(&cfg)
	}
	tel := telemetry.Discard(contract.Chat)
	ctx, cancel := context.WithCancel(context.Background())
	r := &replica{health: tel.Health, cancel: cancel, done: make(chan error, 1)}
	r.stop = sync.OnceValue(func() error {
		cancel()
		return <-r.done
	})
	go func() { r.done <- chat.Run(ctx, cfg, chat.Deps{Telemetry: tel, WrapStore: wrap}) }() // ends with ctx; stop waits
	w.t.Cleanup(func() {
		if err := r.stop(); err != nil {
			w.t.Errorf("Run: %v", err)
		}
	})
	w.await("chat to be ready", func() bool {
		return len(tel.Health.States(context.Background())) >= 4 && tel.Health.Ready(context.Background()) == nil
	})
	return r
}

// listen hands over what is published on a subject.
func (w *world) listen(subject string) chan *nats.Msg {
	w.t.Helper()
	heard := make(chan *nats.Msg, 10_000)
	if _, err := w.observer.ChanSubscribe(subject, heard); err != nil {
		w.t.Fatal(err)
	}
	if err := w.observer.Flush(); err != nil {
		w.t.Fatal(err)
	}
	return heard
}

// hear waits for the next message.
func (w *world) hear(heard chan *nats.Msg) *nats.Msg {
	w.t.Helper()
	select {
	case msg := <-heard:
		return msg
	case <-time.After(10 * time.Second):
		w.t.Fatal("nothing was published")
		return nil
	}
}

func (w *world) await(what string, ok func() bool) {
	w.t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			w.t.Fatalf("waited in vain for %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// ask calls chat for a user's gateway, and fails the test on a fault.
func ask[Req, Rep any](w *world, m contract.Method[Req, Rep], req Req) Rep {
	w.t.Helper()
	rep, err := rpc.Call(within(w.t), w.gateway, m, req)
	if err != nil {
		w.t.Fatalf("%s: %v", m.Name, err)
	}
	return rep
}

// refused fails the test unless the call ends with the code.
func refused[Req, Rep any](w *world, want fault.Code, m contract.Method[Req, Rep], req Req) {
	w.t.Helper()
	if _, err := rpc.Call(within(w.t), w.gateway, m, req); !fault.Is(err, want) {
		w.t.Errorf("%s: got %v, want %s", m.Name, err, want)
	}
}

func caller(user string) contract.Caller { return contract.Caller{UserID: user, SessionID: "session"} }

func sendRequest(room, user, clientID string) contract.SendRequest {
	return contract.SendRequest{
		Caller: caller(user), RoomID: room, ClientID: clientID,
		Type: contract.MessageText, Content: contract.Content{Text: "text of " + clientID},
	}
}

// social answers for the service that owns memberships.
type social struct {
	t  *testing.T
	nc *nats.Conn

	mu    sync.Mutex
	rooms map[string]map[string]contract.Membership // by room and user
	rev   int64
}

func newSocial(t *testing.T, nc *nats.Conn) *social {
	t.Helper()
	s := &social{t: t, nc: nc, rooms: make(map[string]map[string]contract.Membership)}
	serving := rpc.NewServer(nc, rpc.ServerOptions{Service: contract.Social})
	rpc.Handle(serving, contract.GetMembership, s.membership)
	rpc.HandleGroup(serving, contract.ListMemberships, func(ctx context.Context, reqs []contract.MembershipsRequest) []rpc.Result[contract.MembershipsReply] {
		return rpc.Each(ctx, reqs, s.memberships)
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- serving.Run(ctx) }() // ends with ctx
	t.Cleanup(func() { cancel(); <-done })
	return s
}

func (s *social) membership(_ context.Context, req contract.MembershipRequest) (contract.MembershipReply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	members := s.rooms[req.RoomID]
	m, ok := members[req.UserID]
	m.Rev = s.rev
	return contract.MembershipReply{Member: ok, Membership: m, MemberCount: len(members)}, nil
}

func (s *social) memberships(_ context.Context, req contract.MembershipsRequest) (contract.MembershipsReply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var rows []contract.Membership
	for _, members := range s.rooms {
		m, ok := members[req.UserID]
		if ok && m.RoomID > req.Cursor && (len(req.RoomIDs) == 0 || slices.Contains(req.RoomIDs, m.RoomID)) {
			rows = append(rows, m)
		}
	}
	if len(rows) <= contract.MaxRoomPage {
		return contract.NewMembershipsReply(rows), nil
	}
	slices.SortFunc(rows, func(a, b contract.Membership) int { return strings.Compare(a.RoomID, b.RoomID) })
	page := contract.NewMembershipsReply(rows[:contract.MaxRoomPage])
	page.NextCursor = rows[contract.MaxRoomPage-1].RoomID
	return page, nil
}

// join makes users members of a group, silently.
func (s *social) join(room string, users ...string) {
	for _, user := range users {
		s.set(contract.Membership{RoomID: room, Type: contract.RoomGroup, Role: contract.RoleMember, FirstSeq: 1}, user)
	}
}

// set writes one membership and returns the new revision, silently.
func (s *social) set(m contract.Membership, user string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rev++
	m.Rev, m.JoinedAt = s.rev, contract.NewTime(time.Now())
	if s.rooms[m.RoomID] == nil {
		s.rooms[m.RoomID] = make(map[string]contract.Membership)
	}
	s.rooms[m.RoomID][user] = m
	return s.rev
}

// leave removes a member and returns the new revision, silently.
func (s *social) leave(room, user string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rev++
	delete(s.rooms[room], user)
	return s.rev
}

// publish tells of a change.
func (s *social) publish(subject string, payload []byte, err error) {
	s.t.Helper()
	if err == nil {
		err = s.nc.Publish(subject, payload)
	}
	if err == nil {
		err = s.nc.Flush()
	}
	if err != nil {
		s.t.Fatal(err)
	}
}
