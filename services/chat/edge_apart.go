package chat

import (
	"context"
	"maps"
	"slices"
)

// Reads of many rooms go on without those that can't be read, such as one on a
// damaged page: after a failure that is not the whole store's, each half of them
// is read by itself. If no room can be read, the error stays.

// apart calls for all, or for smaller and smaller parts; a single one that fails
// is handed to damaged.
func apart[T any](all []T, call func([]T) error, damaged func(T, error)) error {
	err := call(all)
	if err == nil || isWhole(err) || len(all) < 2 {
		return err
	}
	var last error
	worked := false
	var halve func([]T) error
	halve = func(part []T) error {
		for _, half := range [][]T{part[:len(part)/2], part[len(part)/2:]} {
			err := call(half)
			switch {
			case err == nil:
				worked = true
			case isWhole(err):
				return err
			case len(half) == 1:
				last = err
				damaged(half[0], err)
			default:
				if err := halve(half); err != nil {
					return err
				}
			}
		}
		return nil
	}
	if err := halve(all); err != nil {
		return err
	}
	if !worked {
		return last
	}
	return nil
}

func (s *edgeStore) unreadable(ctx context.Context, roomID string, err error) {
	s.log.WarnContext(ctx, "a room can't be read", "room_id", roomID, "err", err)
}

// messagesApart leaves out messages that can't be read.
func (s *edgeStore) messagesApart(ctx context.Context, at []Place) (map[string]Record, error) {
	found := make(map[string]Record, len(at))
	err := apart(at, func(part []Place) error {
		got, err := s.Store.Messages(ctx, part)
		maps.Copy(found, got)
		return err
	}, func(p Place, err error) { s.unreadable(ctx, p.RoomID, err) })
	return found, err
}

// headsApart leaves out rooms that can't be read.
func (s *edgeStore) headsApart(ctx context.Context, of []UserRooms) ([]map[string]Head, error) {
	rooms := allRooms(of)
	heads := make([]map[string]Head, len(of))
	for i, u := range of {
		heads[i] = make(map[string]Head, len(u.RoomIDs))
	}
	err := apart(rooms, func(part []string) error {
		some := of
		if len(part) < len(rooms) {
			some = among(of, part)
		}
		got, err := s.Store.Heads(ctx, some...)
		for i := range got {
			maps.Copy(heads[i], got[i])
		}
		return err
	}, func(room string, err error) { s.unreadable(ctx, room, err) })
	return heads, err
}

// among are the users' rooms that are among these.
func among(of []UserRooms, rooms []string) []UserRooms {
	in := make(map[string]bool, len(rooms))
	for _, room := range rooms {
		in[room] = true
	}
	some := make([]UserRooms, len(of))
	for i, u := range of {
		some[i].UserID = u.UserID
		some[i].RoomIDs = slices.DeleteFunc(slices.Clone(u.RoomIDs), func(room string) bool { return !in[room] })
	}
	return some
}
