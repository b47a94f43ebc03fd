package chat_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/id"
	"github.com/parley-im/parley/pkg/rpc"
	"github.com/parley-im/parley/services/chat"
)

// outage is a store that can go wrong. Its sign of life stays.
type outage struct {
	chat.Store
	err     atomic.Pointer[error] // of every call
	inserts atomic.Pointer[error] // of every insert
	stall   atomic.Bool           // no call is answered
	mute    atomic.Int64          // inserts to come that are stored without a word
	tried   atomic.Int64          // inserts
	closed  atomic.Bool
}

var errLost = errors.New("connection lost")

// over starts a replica on a store of its own that can go wrong.
func (w *world) over(store *outage, edit ...func(*chat.Config)) *replica {
	w.t.Helper()
	return w.startOver(newFile(w.t), func(s chat.Store) chat.Store {
		store.Store = s
		return store
	}, edit...)
}

func (s *outage) fails(ctx context.Context) error {
	if s.stall.Load() {
		<-ctx.Done()
		return ctx.Err()
	}
	if err := s.err.Load(); err != nil {
		return *err
	}
	return nil
}

func (s *outage) Append(ctx context.Context, r []chat.Record) (int, error) {
	s.tried.Add(1)
	if err := s.fails(ctx); err != nil {
		return 0, err
	}
	if err := s.inserts.Load(); err != nil {
		return 0, *err
	}
	stored, err := s.Store.Append(ctx, r)
	if s.mute.Add(-1) >= 0 {
		return 0, errors.Join(errLost, err)
	}
	return stored, err
}

func (s *outage) Tails(ctx context.Context, rooms []string) (map[string]int64, error) {
	if err := s.fails(ctx); err != nil {
		return nil, err
	}
	return s.Store.Tails(ctx, rooms)
}

func (s *outage) ByClientID(ctx context.Context, keys []chat.Key) (map[chat.Key]chat.Record, error) {
	if err := s.fails(ctx); err != nil {
		return nil, err
	}
	return s.Store.ByClientID(ctx, keys)
}

func (s *outage) Page(ctx context.Context, r chat.Range) ([]chat.Record, error) {
	if err := s.fails(ctx); err != nil {
		return nil, err
	}
	return s.Store.Page(ctx, r)
}

func (s *outage) Messages(ctx context.Context, at []chat.Place) (map[string]chat.Record, error) {
	if err := s.fails(ctx); err != nil {
		return nil, err
	}
	return s.Store.Messages(ctx, at)
}

func (s *outage) Remove(ctx context.Context, r chat.Removal) (bool, error) {
	if err := s.fails(ctx); err != nil {
		return false, err
	}
	return s.Store.Remove(ctx, r)
}

func (s *outage) SetReads(ctx context.Context, positions []chat.Position) ([]chat.Position, error) {
	if err := s.fails(ctx); err != nil {
		return nil, err
	}
	return s.Store.SetReads(ctx, positions)
}

func (s *outage) Heads(ctx context.Context, of ...chat.UserRooms) ([]map[string]chat.Head, error) {
	if err := s.fails(ctx); err != nil {
		return nil, err
	}
	return s.Store.Heads(ctx, of...)
}

func (s *outage) Close() error {
	s.closed.Store(true)
	return s.Store.Close()
}

func TestRun_over_a_store_that_is_wrapped(t *testing.T) {
	w := newWorld(t)
	store := &outage{}
	store.mute.Store(1)
	r := w.over(store)
	w.social.join("room", "ann")
	for n := range int64(2) {
		if sent := ask(w, contract.SendMessage, sendRequest("room", "ann", fmt.Sprint(n))); sent.Seq != n+1 || sent.Duplicate {
			t.Fatalf("sent %+v", sent)
		}
	}
	if n := store.tried.Load(); n < 2 {
		t.Fatalf("the wrapped store saw %d inserts", n)
	}
	if err := r.stop(); err != nil || !store.closed.Load() {
		t.Fatalf("closed: %v, %v", store.closed.Load(), err)
	}
}

// everyRequest is one request of each kind that needs the store.
func (w *world) everyRequest() map[string]func() error {
	at := contract.MessageRequest{Caller: caller("ann"), RoomID: "room", Seq: 1}
	return map[string]func() error{
		"send":        try(w, contract.SendMessage, sendRequest("room", "ann", id.New())),
		"history":     try(w, contract.GetMessages, contract.HistoryRequest{Caller: caller("ann"), RoomID: "room"}),
		"remove":      try(w, contract.RemoveMessage, at),
		"set_read":    try(w, contract.SetRead, at),
		"list_rooms":  try(w, contract.ListRooms, contract.ListRoomsRequest{Caller: caller("ann")}),
		"room_states": try(w, contract.GetRoomStates, contract.GetRoomStatesRequest{Caller: caller("ann"), RoomIDs: []string{"room"}}),
		"list_heads":  try(w, contract.ListHeads, contract.ListHeadsRequest{Caller: caller("ann")}),
		"head": func() error {
			_, err := rpc.Call(within(w.t), rpc.NewClient(w.social.nc, rpc.ClientOptions{}), contract.GetHead, contract.HeadRequest{RoomID: "room"})
			return err
		},
	}
}

func try[Req, Rep any](w *world, m contract.Method[Req, Rep], req Req) func() error {
	return func() error {
		_, err := rpc.Call(within(w.t), w.gateway, m, req)
		return err
	}
}

func TestRun_when_the_store_is_away(t *testing.T) {
	w := newWorld(t)
	store := &outage{}
	r := w.over(store, func(c *chat.Config) { c.StoreTimeout, c.RecentReads = time.Second, 0 })
	w.social.join("room", "ann")
	ask(w, contract.SendMessage, sendRequest("room", "ann", "c-1"))

	away := func(t *testing.T) {
		t.Helper()
		for name, request := range w.everyRequest() {
			f := fault.From(request())
			if f == nil || f.Code != fault.Unavailable || f.RetryAfter < time.Second {
				t.Errorf("%s: %v, want unavailable and a hint", name, f)
			}
			if f != nil && strings.Contains(f.Detail, "lost") {
				t.Errorf("%s tells what went wrong inside: %s", name, f.Detail)
			}
		}
		if err := r.health.Ready(within(t)); err == nil || !strings.Contains(err.Error(), "inserts") {
			t.Errorf("ready: %v", err)
		}
	}
	heals := func(t *testing.T) {
		t.Helper()
		for name, request := range w.everyRequest() {
			w.await(name+" to work again", func() bool { return request() == nil })
		}
		w.await("chat to be ready", func() bool { return r.health.Ready(within(t)) == nil })
	}

	t.Run("every_call_fails", func(t *testing.T) {
		store.err.Store(&errLost)
		away(t)
		store.err.Store(nil)
		heals(t)
	})
	t.Run("no_call_is_answered", func(t *testing.T) {
		store.stall.Store(true)
		away(t)
		store.stall.Store(false)
		heals(t)
	})
	t.Run("only_inserts_fail", func(t *testing.T) {
		store.inserts.Store(&errLost)
		if err := try(w, contract.SendMessage, sendRequest("room", "ann", id.New()))(); !fault.Is(err, fault.Unavailable) {
			t.Fatalf("send: %v", err)
		}
		if err := r.health.Ready(within(t)); err == nil {
			t.Error("ready while every insert fails")
		}
		ask(w, contract.GetMessages, contract.HistoryRequest{Caller: caller("ann"), RoomID: "room"})
		store.inserts.Store(nil)
		heals(t)
	})
	t.Run("a_record_is_unreadable", func(t *testing.T) {
		err := fmt.Errorf("decode message: %w", chat.ErrUnreadable)
		store.err.Store(&err)
		defer store.err.Store(nil)
		requests := w.everyRequest()
		delete(requests, "send") // it is tried again
		for name, request := range requests {
			if err := request(); !fault.Is(err, fault.Internal) {
				t.Errorf("%s: %v, want internal: a mistake of ours", name, err)
			}
		}
	})
}
