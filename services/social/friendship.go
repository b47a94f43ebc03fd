package social

import (
	"context"
	"fmt"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/id"
	"github.com/parley-im/parley/pkg/revision"
)

// FriendState is where a friendship stands. Requests that need consent will
// add a state between the two.
type FriendState string

// The states of a friendship.
const (
	StateNone    FriendState = "none"
	StateFriends FriendState = "friends"
)

// Friendship is the one record of two people, and of their direct room: it is
// the room's id, and the room is open while they are friends. It is never
// deleted.
type Friendship struct {
	ID        string // id.Pair of the two
	A, B      string // the two, in ascending order
	State     FriendState
	Since     contract.Time // when State was reached
	CreatedAt contract.Time
	Rev       int64
}

// other is the one of the two who is not userID.
func (f Friendship) other(userID string) string {
	if f.A == userID {
		return f.B
	}
	return f.A
}

// has reports whether userID is one of the two.
func (f Friendship) has(userID string) bool { return f.A == userID || f.B == userID }

// members are the two as members of their room.
func (f Friendship) members() []Member {
	return []Member{
		{UserID: f.A, Role: contract.RoleMember, FirstSeq: 1, JoinedAt: f.CreatedAt},
		{UserID: f.B, Role: contract.RoleMember, FirstSeq: 1, JoinedAt: f.CreatedAt},
	}
}

// info is the direct room as one of the two sees it.
func (f Friendship) info(userID string) contract.RoomInfo {
	return contract.RoomInfo{
		ID: f.ID, Type: contract.RoomDirect, PeerID: f.other(userID), Role: contract.RoleMember,
		Closed: f.State != StateFriends, History: contract.HistoryAll, MemberCount: 2, FirstSeq: 1,
		Rev: f.Rev, CreatedAt: f.CreatedAt,
	}
}

// membership is the place of one of the two in the direct room.
func (f Friendship) membership() contract.Membership {
	return contract.Membership{
		RoomID: f.ID, Type: contract.RoomDirect, Role: contract.RoleMember, Closed: f.State != StateFriends,
		FirstSeq: 1, Rev: f.Rev, JoinedAt: f.CreatedAt,
	}
}

// friendships holds the rules of friendship.
type friendships struct {
	store    Store
	maxRooms int // of one user; a friendship is a room of both
	now      func() time.Time
}

// add makes two people friends, at once. It reports whether their room is
// new; AlreadyExists when they are friends.
func (s *friendships) add(ctx context.Context, userID, otherID string) (f Friendship, fresh bool, err error) {
	if userID == otherID {
		return Friendship{}, false, fault.Invalid("user_id", "is yourself")
	}
	err = revision.Retry(ctx, func() error {
		now := contract.NewTime(s.now())
		known, err := s.store.Friendship(ctx, id.Pair(userID, otherID))
		if err != nil {
			return err
		}
		fresh = known == nil
		if fresh {
			if err := roomLeft(ctx, s.store, s.maxRooms, "user_id", userID, otherID); err != nil {
				return err
			}
			a, b := id.Sort(userID, otherID)
			known = &Friendship{ID: id.Pair(userID, otherID), A: a, B: b, CreatedAt: now}
		}
		if known.State == StateFriends {
			return fault.New(fault.AlreadyExists, "you are friends already")
		}
		f = *known
		f.State, f.Since = StateFriends, now
		return s.save(ctx, &f, userID, contract.FriendshipMade)
	})
	return f, fresh, err
}

// remove ends a friendship, and with it the sending in its room.
func (s *friendships) remove(ctx context.Context, userID, otherID string) (f Friendship, err error) {
	return s.end(ctx, id.Pair(userID, otherID), userID)
}

// end is remove for whoever may. More events go with the one that reports it.
func (s *friendships) end(ctx context.Context, pair, by string, more ...contract.Event) (f Friendship, err error) {
	err = revision.Retry(ctx, func() error {
		known, err := s.store.Friendship(ctx, pair)
		if err != nil {
			return err
		}
		if known == nil || known.State != StateFriends {
			return fault.New(fault.NotFound, "you are not friends")
		}
		f = *known
		f.State, f.Since = StateNone, contract.NewTime(s.now())
		return s.save(ctx, &f, by, contract.FriendshipEnded, more...)
	})
	return f, err
}

// save writes the friendship's next revision with the event that reports it,
// and more.
func (s *friendships) save(ctx context.Context, f *Friendship, by string, kind contract.EventType[contract.FriendshipEvent], more ...contract.Event) error {
	f.Rev++
	event, err := kind.New(id.New(), f.ID, f.Since.Time, contract.FriendshipEvent{
		RoomID: f.ID, UserIDs: []string{f.A, f.B}, By: by, Rev: f.Rev,
	})
	if err != nil {
		return err
	}
	return s.store.SaveFriendship(ctx, *f, append([]contract.Event{event}, more...))
}

// roomLeft refuses a further room for a user who has as many as may be. Two
// rooms made at the same moment can pass it together: the limit bounds what a
// list costs, and a few more do no harm.
func roomLeft(ctx context.Context, store Store, limit int, field string, userIDs ...string) error {
	counts, err := store.CountRooms(ctx, userIDs)
	if err != nil {
		return fmt.Errorf("count rooms: %w", err)
	}
	for _, userID := range userIDs {
		if counts[userID] >= limit {
			f := fault.Newf(fault.ResourceExhausted, "%s is in %d rooms, which is the most", userID, counts[userID])
			f.Fields = []fault.Field{{Field: field, Detail: f.Detail}}
			return f
		}
	}
	return nil
}

// pairMembership is a user's place in the direct room of a pair; f may be nil.
func pairMembership(f *Friendship, userID string) contract.MembershipReply {
	if f == nil {
		return contract.MembershipReply{}
	}
	reply := contract.MembershipReply{Member: f.has(userID), Membership: f.membership()}
	if reply.Member {
		reply.MemberCount = 2
	}
	return reply
}
