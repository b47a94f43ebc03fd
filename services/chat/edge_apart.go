package chat

import (
	"context"
	"maps"
	"slices"
)

// Calls about many rooms go on without those that can't be read, or written to,
// such as one on a damaged page: after a failure that is not the whole store's,
// each half of them is tried by itself. If none succeeds, the error stays.

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

// readsApart is how far the positions of one call have come.
type readsApart struct {
	moved  []Position
	failed map[Position]error
	open   map[Position]bool // neither stored nor failed by itself
}

func newReadsApart(positions []Position) *readsApart {
	r := &readsApart{failed: make(map[Position]error), open: make(map[Position]bool, len(positions))}
	for _, p := range positions {
		r.open[p] = true
	}
	return r
}

// setReadsApart stores positions without those that can't be. A position that a
// call has moved beside one that failed is stored: it has moved, once.
func (s *edgeStore) setReadsApart(ctx context.Context, r *readsApart, positions []Position) error {
	return apart(positions, func(part []Position) error {
		moved, err := s.SetReads(ctx, part)
		for _, p := range moved {
			if r.open[p] {
				r.moved = append(r.moved, p)
				delete(r.open, p)
			}
		}
		if err == nil {
			for _, p := range part {
				delete(r.open, p)
			}
		}
		return err
	}, func(p Position, err error) {
		s.log.WarnContext(ctx, "a read position can't be stored", "room_id", p.RoomID, "err", err)
		if r.open[p] {
			r.failed[p] = storeAway(err)
			delete(r.open, p)
		}
	})
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
