package social

import (
	"context"
	"time"

	"github.com/parley-im/parley/pkg/bus"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/revision"
	"github.com/parley-im/parley/pkg/telemetry"
)

// timed is a store whose calls are measured, by verb.
type timed struct {
	bus.TimedOutbox
	verbs
	timer *telemetry.StoreTimer
}

// verbs are the store's own, one embedding deeper than those of its outbox,
// which therefore stand before the store's.
type verbs struct{ Store }

func newTimed(store Store, url string, tel *telemetry.Telemetry) Store {
	timer := tel.NewStoreTimer(url, revision.ErrConflict)
	return timed{TimedOutbox: bus.TimeOutbox(store, timer), verbs: verbs{store}, timer: timer}
}

func (t timed) Friendship(ctx context.Context, id string) (got *Friendship, err error) {
	defer t.timer.Took(ctx, "friendship", time.Now(), &err)
	return t.Store.Friendship(ctx, id)
}

func (t timed) SaveFriendship(ctx context.Context, f Friendship, events []contract.Event) (err error) {
	defer t.timer.Took(ctx, "save_friendship", time.Now(), &err)
	return t.Store.SaveFriendship(ctx, f, events)
}

func (t timed) FriendsOf(ctx context.Context, userID, after string, limit int) (got []Friendship, err error) {
	defer t.timer.Took(ctx, "friends_of", time.Now(), &err)
	return t.Store.FriendsOf(ctx, userID, after, limit)
}

func (t timed) FriendsAmong(ctx context.Context, userID string, others []string) (got []string, err error) {
	defer t.timer.Took(ctx, "friends_among", time.Now(), &err)
	return t.Store.FriendsAmong(ctx, userID, others)
}

func (t timed) Room(ctx context.Context, id string) (got *Room, err error) {
	defer t.timer.Took(ctx, "room", time.Now(), &err)
	return t.Store.Room(ctx, id)
}

func (t timed) RoomByClientID(ctx context.Context, userID, clientID string) (got *Room, err error) {
	defer t.timer.Took(ctx, "room_by_client_id", time.Now(), &err)
	return t.Store.RoomByClientID(ctx, userID, clientID)
}

func (t timed) SaveRoom(ctx context.Context, r Room, events []contract.Event) (err error) {
	defer t.timer.Took(ctx, "save_room", time.Now(), &err)
	return t.Store.SaveRoom(ctx, r, events)
}

func (t timed) Post(ctx context.Context, events []contract.Event) (err error) {
	defer t.timer.Took(ctx, "post", time.Now(), &err)
	return t.Store.Post(ctx, events)
}

func (t timed) RoomInfos(ctx context.Context, userID string, roomIDs []string) (got []contract.RoomInfo, err error) {
	defer t.timer.Took(ctx, "room_infos", time.Now(), &err)
	return t.Store.RoomInfos(ctx, userID, roomIDs)
}

func (t timed) Membership(ctx context.Context, roomID, userID string) (got contract.MembershipReply, err error) {
	defer t.timer.Took(ctx, "membership", time.Now(), &err)
	return t.Store.Membership(ctx, roomID, userID)
}

func (t timed) Memberships(ctx context.Context, userIDs ...string) (got [][]contract.Membership, err error) {
	defer t.timer.Took(ctx, "memberships", time.Now(), &err)
	return t.Store.Memberships(ctx, userIDs...)
}

func (t timed) MembershipsAmong(ctx context.Context, userID string, roomIDs []string) (got []contract.Membership, err error) {
	defer t.timer.Took(ctx, "memberships_among", time.Now(), &err)
	return t.Store.MembershipsAmong(ctx, userID, roomIDs)
}

func (t timed) CountRooms(ctx context.Context, userIDs []string) (got map[string]int, err error) {
	defer t.timer.Took(ctx, "count_rooms", time.Now(), &err)
	return t.Store.CountRooms(ctx, userIDs)
}
