package gateway

import (
	"context"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
)

// errNoRoom is the answer about rooms that are not, or not the caller's.
var errNoRoom = fault.New(fault.NotFound, "there is no such room")

func (a *api) listRooms(r *request) (answer, error) {
	limit, cursor, err := r.paging()
	if err != nil {
		return answer{}, err
	}
	page, err := ask(r.ctx, a, contract.ListRooms, contract.ListRoomsRequest{Caller: r.caller, Limit: limit, Cursor: cursor})
	if err != nil {
		return answer{}, err
	}
	rooms, err := a.rooms(r.ctx, r.caller, page.Items)
	if err != nil {
		return answer{}, err
	}
	return listOf(rooms, page.NextCursor), nil
}

// rooms puts together what chat knows of rooms with what social and auth
// know. One that the caller has left meanwhile is left out.
func (a *api) rooms(ctx context.Context, caller contract.Caller, states []contract.RoomState) ([]contract.Room, error) {
	if len(states) == 0 {
		return nil, nil
	}
	ids := make([]string, len(states))
	byID := make(map[string]contract.RoomState, len(states))
	for i, state := range states {
		ids[i] = state.RoomID
		byID[state.RoomID] = state
	}
	reply, err := ask(ctx, a, contract.GetRooms, contract.GetRoomsRequest{Caller: caller, RoomIDs: ids})
	if err != nil {
		return nil, err
	}
	var peers []string
	for _, info := range reply.Rooms {
		if info.PeerID != "" {
			peers = append(peers, info.PeerID)
		}
	}
	found, err := a.profiles(ctx, peers)
	if err != nil {
		return nil, err
	}
	rooms := make([]contract.Room, len(reply.Rooms))
	for i, info := range reply.Rooms {
		rooms[i] = roomOf(info, byID[info.ID], found)
	}
	return rooms, nil
}

func roomOf(info contract.RoomInfo, state contract.RoomState, found map[string]contract.Profile) contract.Room {
	room := contract.Room{
		ID: info.ID, Type: info.Type, Name: info.Name, Role: info.Role, Closed: info.Closed, MemberCount: info.MemberCount,
		FirstSeq: info.FirstSeq, LastSeq: state.LastSeq, ReadSeq: state.ReadSeq, Unread: state.Unread,
		LastMessage: state.LastMessage, CreatedAt: info.CreatedAt,
	}
	if info.PeerID != "" {
		room.Peer = &contract.UserProfile{Profile: known(found, info.PeerID), IsFriend: !info.Closed}
	}
	return room
}

// room is one room of the caller.
func (a *api) room(ctx context.Context, caller contract.Caller, roomID string) (contract.Room, error) {
	states, err := ask(ctx, a, contract.GetRoomStates, contract.GetRoomStatesRequest{Caller: caller, RoomIDs: []string{roomID}})
	if err != nil {
		return contract.Room{}, err
	}
	rooms, err := a.rooms(ctx, caller, states.Items)
	if err != nil {
		return contract.Room{}, err
	}
	if len(rooms) == 0 {
		return contract.Room{}, errNoRoom
	}
	return rooms[0], nil
}

func (a *api) getRoom(r *request) (answer, error) {
	roomID, err := r.roomID()
	if err != nil {
		return answer{}, err
	}
	room, err := a.room(r.ctx, r.caller, roomID)
	if err != nil {
		return answer{}, err
	}
	return ok200(room), nil
}

// roomBody is a group to make.
type roomBody struct {
	Name      string           `json:"name"`
	MemberIDs []string         `json:"member_ids"`
	ClientID  string           `json:"client_id"`
	History   contract.History `json:"history"`
}

func (a *api) createRoom(r *request) (answer, error) {
	var body roomBody
	if err := r.decode(&body); err != nil {
		return answer{}, err
	}
	if err := a.limiter.Allow(r.ctx, a.buckets.groups, r.caller.UserID); err != nil {
		return answer{}, err
	}
	if err := a.limiter.AllowAll(r.ctx, a.buckets.joins, r.caller.UserID, len(body.MemberIDs)); err != nil {
		return answer{}, err
	}
	reply, err := ask(r.ctx, a, contract.CreateRoom, contract.CreateRoomRequest{
		Caller: r.caller, Name: body.Name, MemberIDs: body.MemberIDs, ClientID: body.ClientID, History: body.History,
	})
	if err != nil {
		return answer{}, err
	}
	if reply.Created { // nobody can have written to it yet
		return created201(roomOf(reply.Room, contract.RoomState{}, nil)), nil
	}
	room, err := a.room(r.ctx, r.caller, reply.Room.ID)
	if err != nil {
		return answer{}, err
	}
	return ok200(room), nil
}

// nameBody is a new name of a group.
type nameBody struct {
	Name string `json:"name"`
}

func (a *api) renameRoom(r *request) (answer, error) {
	roomID, err := r.roomID()
	if err != nil {
		return answer{}, err
	}
	var body nameBody
	if err := r.decode(&body); err != nil {
		return answer{}, err
	}
	if _, err := ask(r.ctx, a, contract.RenameRoom, contract.RenameRoomRequest{Caller: r.caller, RoomID: roomID, Name: body.Name}); err != nil {
		return answer{}, err
	}
	room, err := a.room(r.ctx, r.caller, roomID)
	if err != nil {
		return answer{}, err
	}
	return ok200(room), nil
}

func (a *api) disbandRoom(r *request) (answer, error) {
	roomID, err := r.roomID()
	if err != nil {
		return answer{}, err
	}
	return done(ask(r.ctx, a, contract.DisbandRoom, contract.RoomRequest{Caller: r.caller, RoomID: roomID}))
}
