package chat

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/rpc"
)

// Rooms tells a user where their rooms stand.
type Rooms struct {
	store   Store
	members *Memberships
	list    ListMemberships
	orders  *roomOrders
}

// ListMemberships asks social for a page of a user's rooms, or for those among
// some: of each its id, its revision, when they joined, and the first seq that
// they may read. next is the cursor of the next page, empty on the last.
type ListMemberships func(ctx context.Context, req contract.MembershipsRequest) (page []contract.Membership, next string, err error)

// roomState puts together what social and the store know of a room; its last
// message comes later.
func roomState(m contract.Membership, h Head) contract.RoomState {
	s := contract.RoomState{
		RoomID:   m.RoomID,
		FirstSeq: m.FirstSeq,
		LastSeq:  h.LastSeq,
		ReadSeq:  min(h.ReadSeq, h.LastSeq), // of two reads the later may know more
		Unread:   max(0, h.LastSeq-max(h.ReadSeq, m.FirstSeq-1)),
		ActiveAt: m.JoinedAt,
	}
	if mayReadLast(s) {
		s.ActiveAt = h.SentAt
	}
	return s
}

func mayReadLast(s contract.RoomState) bool { return s.LastSeq > 0 && s.LastSeq >= s.FirstSeq }

// List returns a page of the user's rooms, latest activity first.
func (r *Rooms) List(ctx context.Context, req contract.ListRoomsRequest) (contract.RoomStatePage, error) {
	after, err := parseCursor(req.Cursor)
	if err != nil {
		return contract.RoomStatePage{}, err
	}
	if after != nil {
		if next, more, ok := r.orders.after(req.Caller.UserID, *after, pageLimit(req.Limit)); ok {
			return r.next(ctx, req.Caller.UserID, next, more)
		}
	}
	all, err := r.all(ctx, req.Caller.UserID)
	if err != nil {
		return contract.RoomStatePage{}, err
	}
	states, err := r.states(ctx, req.Caller.UserID, all)
	if err != nil {
		return contract.RoomStatePage{}, err
	}
	slices.SortFunc(states, func(a, b contract.RoomState) int { return cursorOf(a).compare(cursorOf(b)) })
	if len(states) > pageLimit(req.Limit) {
		r.orders.keep(req.Caller.UserID, cursorsOf(states))
	}
	if after != nil {
		states = slices.DeleteFunc(states, func(s contract.RoomState) bool { return cursorOf(s).compare(*after) <= 0 })
	}
	limit := min(pageLimit(req.Limit), len(states))
	fit, err := r.addLast(ctx, states[:limit])
	if err != nil {
		return contract.RoomStatePage{}, err
	}
	page := contract.RoomStatePage{Items: states[:fit]}
	if fit < len(states) {
		page.NextCursor = cursorOf(states[fit-1]).String()
	}
	return page, nil
}

// next returns a page whose rooms are known: as they stand now, without those
// that are no longer the user's. Its cursor is of the order that they are in.
func (r *Rooms) next(ctx context.Context, userID string, rooms []cursor, more bool) (contract.RoomStatePage, error) {
	ids := make([]string, len(rooms))
	for i, c := range rooms {
		ids[i] = c.roomID
	}
	members, err := r.among(ctx, userID, ids)
	if err != nil {
		return contract.RoomStatePage{}, err
	}
	states, err := r.states(ctx, userID, members)
	if err != nil {
		return contract.RoomStatePage{}, err
	}
	fit, err := r.addLast(ctx, states)
	if err != nil {
		return contract.RoomStatePage{}, err
	}
	page := contract.RoomStatePage{Items: states[:fit]}
	switch {
	case fit < len(states):
		page.NextCursor = rooms[slices.Index(ids, states[fit-1].RoomID)].String()
	case more:
		page.NextCursor = rooms[len(rooms)-1].String()
	}
	return page, nil
}

// States returns those of the rooms that are the user's, in the order given.
func (r *Rooms) States(ctx context.Context, req contract.GetRoomStatesRequest) ([]contract.RoomState, error) {
	members, err := r.among(ctx, req.Caller.UserID, req.RoomIDs)
	if err != nil {
		return nil, err
	}
	states, err := r.states(ctx, req.Caller.UserID, members)
	if err != nil {
		return nil, err
	}
	fit, err := r.addLast(ctx, states)
	if err != nil {
		return nil, err
	}
	if fit < len(states) {
		return nil, fault.New(fault.PayloadTooLarge, "the last messages of so many rooms do not fit; ask for fewer")
	}
	return states, nil
}

// Heads returns a page of where each user's rooms stand, in the users' order:
// with one read of the store, and with the calls of social that rpc makes of
// many. The pages are those of social.
func (r *Rooms) Heads(ctx context.Context, reqs []contract.ListHeadsRequest) []rpc.Result[contract.ListHeadsReply] {
	type memberships struct {
		page []contract.Membership
		next string
	}
	places := rpc.Each(ctx, reqs, func(ctx context.Context, req contract.ListHeadsRequest) (m memberships, err error) {
		m.page, m.next, err = r.list(ctx, contract.MembershipsRequest{UserID: req.Caller.UserID, Cursor: req.Cursor})
		return m, err
	})
	of := make([]UserRooms, len(reqs)) // without rooms where they are not known
	for i, req := range reqs {
		of[i] = UserRooms{UserID: req.Caller.UserID, RoomIDs: roomIDs(places[i].Reply.page)}
	}
	heads, err := r.store.Heads(ctx, of...)
	found := make([]rpc.Result[contract.ListHeadsReply], len(reqs))
	for i := range found {
		switch {
		case places[i].Err != nil:
			found[i].Err = fmt.Errorf("list memberships: %w", places[i].Err)
		case err != nil:
			found[i].Err = fmt.Errorf("read heads: %w", err)
		default:
			m := places[i].Reply
			found[i].Reply = contract.ListHeadsReply{Rooms: headRevs(m.page, heads[i]), NextCursor: m.next}
		}
	}
	return found
}

func headRevs(places []contract.Membership, heads map[string]Head) []contract.RoomHeadRev {
	revs := make([]contract.RoomHeadRev, len(places))
	for i, m := range places {
		s := roomState(m, heads[m.RoomID])
		revs[i] = contract.RoomHeadRev{
			RoomHead: contract.RoomHead{ID: s.RoomID, FirstSeq: s.FirstSeq, LastSeq: s.LastSeq, ReadSeq: s.ReadSeq},
			Rev:      m.Rev,
		}
	}
	return revs
}

func roomIDs(places []contract.Membership) []string {
	ids := make([]string, len(places))
	for i, m := range places {
		ids[i] = m.RoomID
	}
	return ids
}

// all returns the user's places in all their rooms.
func (r *Rooms) all(ctx context.Context, userID string) ([]contract.Membership, error) {
	var all []contract.Membership
	req := contract.MembershipsRequest{UserID: userID}
	for {
		page, next, err := r.list(ctx, req)
		if err != nil {
			return nil, fmt.Errorf("list memberships: %w", err)
		}
		if all == nil {
			all = page // spares nearly everybody a copy
		} else {
			all = append(all, page...)
		}
		if next == "" {
			return all, nil
		}
		req.Cursor = next
	}
}

// fewMemberships are asked for one by one, mostly from memory; more are asked
// of social together.
const fewMemberships = 8

// among returns the user's places in those of the rooms that are theirs.
func (r *Rooms) among(ctx context.Context, userID string, roomIDs []string) ([]contract.Membership, error) {
	place := make(map[string]contract.Membership, len(roomIDs))
	if len(roomIDs) > fewMemberships {
		some, _, err := r.list(ctx, contract.MembershipsRequest{UserID: userID, RoomIDs: roomIDs})
		if err != nil {
			return nil, fmt.Errorf("list memberships: %w", err)
		}
		for _, m := range some {
			place[m.RoomID] = m
		}
	} else {
		for _, room := range roomIDs {
			m, err := r.members.Member(ctx, room, userID, nil)
			if fault.Is(err, fault.NotFound) {
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("ask for membership: %w", err)
			}
			place[room] = m
		}
	}
	var found []contract.Membership
	for _, room := range roomIDs {
		if m, ok := place[room]; ok {
			found = append(found, m)
			delete(place, room) // named twice, told once
		}
	}
	return found, nil
}

// states returns one state for each membership, in the same order.
func (r *Rooms) states(ctx context.Context, userID string, members []contract.Membership) ([]contract.RoomState, error) {
	heads, err := r.store.Heads(ctx, UserRooms{UserID: userID, RoomIDs: roomIDs(members)})
	if err != nil {
		return nil, fmt.Errorf("read heads: %w", err)
	}
	states := make([]contract.RoomState, len(members))
	for i, m := range members {
		states[i] = roomState(m, heads[0][m.RoomID])
	}
	return states, nil
}

// addLast puts the last messages into the states, as far as they fit into a
// page, and returns how many states do: all, or at least one.
func (r *Rooms) addLast(ctx context.Context, states []contract.RoomState) (fit int, err error) {
	var places []Place
	for _, s := range states {
		if mayReadLast(s) {
			places = append(places, Place{RoomID: s.RoomID, Seq: s.LastSeq})
		}
	}
	last, err := r.store.Messages(ctx, places)
	if err != nil {
		return 0, fmt.Errorf("read last messages: %w", err)
	}
	size := 0
	for i, s := range states {
		msg, ok := last[s.RoomID]
		if !ok {
			continue
		}
		if size += msg.Size(); size > contract.MaxPageBytes && i > 0 {
			return i, nil
		}
		states[i].LastMessage = &msg.Message
	}
	return len(states), nil
}

// cursor is a room's position in the list: by activity, then by id.
type cursor struct {
	activeAt int64 // milliseconds
	roomID   string
}

func cursorOf(s contract.RoomState) cursor {
	return cursor{activeAt: s.ActiveAt.UnixMilli(), roomID: s.RoomID}
}

func cursorsOf(states []contract.RoomState) []cursor {
	cursors := make([]cursor, len(states))
	for i, s := range states {
		cursors[i] = cursorOf(s)
	}
	return cursors
}

func (c cursor) compare(d cursor) int {
	return cmp.Or(cmp.Compare(d.activeAt, c.activeAt), strings.Compare(c.roomID, d.roomID))
}

// String is the cursor as clients pass it back, opaque to them.
func (c cursor) String() string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(c.activeAt, 10) + "." + c.roomID))
}

// parseCursor returns nil for the first page.
func parseCursor(s string) (*cursor, error) {
	if s == "" {
		return nil, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(s)
	ms, room, ok := strings.Cut(string(text), ".")
	at, numErr := strconv.ParseInt(ms, 10, 64)
	if err != nil || numErr != nil || !ok || !contract.ValidID(room) {
		return nil, fault.Invalid("cursor", "is not one that a list returned")
	}
	return &cursor{activeAt: at, roomID: room}, nil
}
