package faults

import (
	"context"
	"fmt"

	"github.com/parley-im/parley/services/social"
)

// Compare says where the store differs from what was rebuilt, a line each, as
// far as the users are concerned.
func (r *Rebuilt) Compare(ctx context.Context, store social.Store, userIDs []string) (differs []string, err error) {
	for id, friends := range r.Friends {
		f, err := store.Friendship(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("compare events with the store: %w", err)
		}
		if f == nil || (f.State == social.StateFriends) != friends.Are || f.Rev != friends.Rev {
			note(&differs, "friendship %s: stored %+v, rebuilt %+v", id, f, *friends)
		}
	}
	for id, group := range r.Groups {
		room, err := store.Room(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("compare events with the store: %w", err)
		}
		group.compare(&differs, id, room)
	}
	known := r.memberships()
	for _, userID := range userIDs {
		lists, err := store.Memberships(ctx, userID)
		if err != nil {
			return nil, fmt.Errorf("compare events with the store: %w", err)
		}
		for _, m := range lists[0] {
			if !known[userID][m.RoomID] {
				note(&differs, "user %s is in room %s, of which no event tells", userID, m.RoomID)
			}
		}
		if len(lists[0]) != len(known[userID]) {
			note(&differs, "user %s is in %d rooms, rebuilt are %d", userID, len(lists[0]), len(known[userID]))
		}
	}
	return differs, nil
}

func (g *Group) compare(differs *[]string, id string, room *social.Room) {
	if room == nil || room.Rev != g.Rev || room.Disbanded != g.Disbanded || len(room.Members) != len(g.Members) {
		note(differs, "group %s: stored %+v, rebuilt %+v", id, room, *g)
		return
	}
	for _, m := range room.Members {
		got, ok := g.Members[m.UserID]
		if !ok || got.Role != m.Role || got.FirstSeq != m.FirstSeq || !got.JoinedAt.Equal(m.JoinedAt.Time) {
			note(differs, "group %s: member stored %+v, rebuilt %+v", id, m, got)
		}
	}
}

// memberships are the rooms of each user, those of former friends too.
func (r *Rebuilt) memberships() map[string]map[string]bool {
	of := map[string]map[string]bool{}
	add := func(userID, roomID string) {
		if of[userID] == nil {
			of[userID] = map[string]bool{}
		}
		of[userID][roomID] = true
	}
	for id, friends := range r.Friends {
		for _, userID := range friends.UserIDs {
			add(userID, id)
		}
	}
	for id, group := range r.Groups {
		for userID := range group.Members {
			add(userID, id)
		}
	}
	return of
}
