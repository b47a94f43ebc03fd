package social

import (
	"context"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/schema"
)

// Store keeps friendships and groups. A verb that returns another error than
// those named has either happened or not; the caller loads the record again.
type Store interface {
	// Friendship returns the record of a pair by its id, nil if there is none.
	Friendship(ctx context.Context, id string) (*Friendship, error)
	// SaveFriendship puts f in the place of revision f.Rev-1 (0: nothing yet),
	// with the events in the same write; else revision.ErrConflict.
	SaveFriendship(ctx context.Context, f Friendship, events []contract.Event) error
	// FriendsOf returns the friendships of a user in state friends whose id is
	// greater than after, in order of their ids.
	FriendsOf(ctx context.Context, userID, after string, limit int) ([]Friendship, error)
	// FriendsAmong returns those of the others who are friends of the user.
	FriendsAmong(ctx context.Context, userID string, others []string) ([]string, error)

	// Room returns a group with its members, disbanded ones too; nil if there
	// is none.
	Room(ctx context.Context, id string) (*Room, error)
	// RoomByClientID returns the group that the user made with that request.
	RoomByClientID(ctx context.Context, userID, clientID string) (*Room, error)
	// SaveRoom puts r in the place of revision r.Rev-1 (0: nothing yet), with
	// the events in the same write; else revision.ErrConflict. A new room whose creator
	// has used its client id before is revision.ErrConflict, too.
	SaveRoom(ctx context.Context, r Room, events []contract.Event) error

	// RoomInfos returns those of the rooms, direct ones too, that the user is
	// in, in no order.
	RoomInfos(ctx context.Context, userID string, roomIDs []string) ([]contract.RoomInfo, error)
	// Membership returns a user's place in a room, direct ones too.
	Membership(ctx context.Context, roomID, userID string) (contract.MembershipReply, error)
	// Memberships returns each user's places in all their rooms, in no order.
	Memberships(ctx context.Context, userIDs ...string) ([][]contract.Membership, error)
	// MembershipsAmong returns a user's places in those of the rooms that are
	// theirs, in no order.
	MembershipsAmong(ctx context.Context, userID string, roomIDs []string) ([]contract.Membership, error)
	// CountRooms tells how many rooms each user is in, direct ones included.
	CountRooms(ctx context.Context, userIDs []string) (map[string]int, error)

	// Post writes events that report no change, such as what an admin looked at.
	Post(ctx context.Context, events []contract.Event) error

	// The outbox, see bus.Outbox.
	Pending(ctx context.Context, limit int) ([]contract.Event, error)
	Done(ctx context.Context, events []contract.Event) error
	Lease(ctx context.Context, holder string, ttl time.Duration) (bool, error)

	// Schema is what the database has of its layout now, for a diagnosis.
	Schema(ctx context.Context) (schema.State, error)
	Ping(ctx context.Context) error
	Close() error
}
