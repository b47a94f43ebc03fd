package chat

import (
	"context"
	"fmt"
	"sync"

	"github.com/parley-im/parley/pkg/checkup"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/rpc"
)

// handlers answer chat's methods: decode, check, rule, reply.
type handlers struct {
	store    Store
	memory   *Memory
	log      *Log
	hist     *History
	members  *Memberships
	rooms    *Rooms
	reads    *Reads
	remover  *Remover
	personal *Personal
	out      *pushes
	checkup  *checkup.Replica
	kick     func() // the relay, after an event
}

// register serves every method of the contract.
func (h *handlers) register(s *rpc.Server) {
	rpc.HandleGroup(s, contract.SendMessage, h.sendAll)
	rpc.Handle(s, contract.GetMessages, h.history)
	rpc.Handle(s, contract.RemoveMessage, h.remove)
	rpc.Handle(s, contract.SetRead, h.setRead)
	rpc.Handle(s, contract.ListRooms, h.listRooms)
	rpc.Handle(s, contract.GetRoomStates, h.roomStates)
	rpc.HandleGroup(s, contract.ListHeads, h.listHeads)
	rpc.Handle(s, contract.GetHead, h.head)
	rpc.Handle(s, contract.DiagnoseChat, h.checkup.Diagnose)
	h.registerAdmin(s)
}

// sendAll carries out sends of different callers. Those whose membership must
// be asked for don't keep the others waiting.
func (h *handlers) sendAll(ctx context.Context, reqs []contract.SendRequest) []rpc.Result[contract.SendReply] {
	results := make([]rpc.Result[contract.SendReply], len(reqs))
	records := make([]Record, 0, len(reqs))
	places := make([]int, 0, len(reqs)) // of the records' results
	var asking sync.WaitGroup
	for i, req := range reqs {
		switch err := checkSend(req); {
		case err != nil:
			results[i].Err = err
		case h.members.Allows(req.RoomID, req.Caller.UserID, maySend):
			records, places = append(records, newRecord(req)), append(places, i)
		default:
			asking.Go(func() { // joined below
				defer func() {
					if reason := recover(); reason != nil {
						results[i].Err = fmt.Errorf("send: panic: %v", reason)
					}
				}()
				results[i].Reply, results[i].Err = h.send(ctx, req)
			})
		}
	}
	for k, stored := range h.log.AppendAll(ctx, records) {
		i := places[k]
		results[i].Reply, results[i].Err = sendReply(reqs[i].RoomID, stored.Reply), stored.Err
	}
	asking.Wait()
	return results
}

// send carries out one, asking whether its caller may.
func (h *handlers) send(ctx context.Context, req contract.SendRequest) (contract.SendReply, error) {
	if _, err := h.members.Member(ctx, req.RoomID, req.Caller.UserID, maySend); err != nil {
		return contract.SendReply{}, err
	}
	r, err := h.log.Append(ctx, newRecord(req))
	if err != nil {
		return contract.SendReply{}, err
	}
	return sendReply(req.RoomID, r), nil
}

func sendReply(roomID string, r Receipt) contract.SendReply {
	return contract.SendReply{RoomID: roomID, Seq: r.Seq, ID: r.ID, SentAt: r.SentAt, Duplicate: r.Duplicate}
}

func (h *handlers) history(ctx context.Context, req contract.HistoryRequest) (contract.HistoryReply, error) {
	if err := checkHistory(req); err != nil {
		return contract.HistoryReply{}, err
	}
	m, err := h.members.Member(ctx, req.RoomID, req.Caller.UserID, nil)
	if err != nil {
		return contract.HistoryReply{}, err
	}
	return h.hist.Read(ctx, req, m.FirstSeq)
}

func (h *handlers) remove(ctx context.Context, req contract.MessageRequest) (contract.Empty, error) {
	if err := checkPlace(req, 1); err != nil {
		return contract.Empty{}, err
	}
	removed, err := h.remover.Remove(ctx, req)
	if err != nil {
		return contract.Empty{}, err
	}
	// Also when it was removed before: whoever did may have died since.
	h.out.Removed(ctx, removed)
	h.kick()
	return contract.Empty{}, nil
}

func (h *handlers) setRead(ctx context.Context, req contract.MessageRequest) (contract.Empty, error) {
	if err := checkPlace(req, 0); err != nil {
		return contract.Empty{}, err
	}
	place, err := h.members.Place(ctx, req.RoomID, req.Caller.UserID, nil)
	if err != nil {
		return contract.Empty{}, err
	}
	p := Position{UserID: req.Caller.UserID, RoomID: req.RoomID, Seq: req.Seq}
	if h.reads.Knows(p) {
		return contract.Empty{}, nil
	}
	if req.Seq > h.memory.Last(req.RoomID) {
		head, err := tail(ctx, h.store, req.RoomID)
		if err != nil {
			return contract.Empty{}, err
		}
		if req.Seq > head {
			return contract.Empty{}, fault.Invalid("seq", "is beyond the room's last message")
		}
	}
	return contract.Empty{}, h.reads.Set(ctx, p, place.MemberCount)
}

func (h *handlers) listRooms(ctx context.Context, req contract.ListRoomsRequest) (contract.RoomStatePage, error) {
	var check fault.Check
	checkCaller(&check, req.Caller)
	checkLimit(&check, "limit", req.Limit)
	if err := check.Err(); err != nil {
		return contract.RoomStatePage{}, err
	}
	return h.rooms.List(ctx, req)
}

func (h *handlers) roomStates(ctx context.Context, req contract.GetRoomStatesRequest) (contract.GetRoomStatesReply, error) {
	var check fault.Check
	checkCaller(&check, req.Caller)
	check.That(len(req.RoomIDs) <= contract.MaxPage, "room_ids", "must be at most 200")
	for _, room := range req.RoomIDs {
		check.That(contract.ValidID(room), "room_ids", "must be ids")
	}
	if err := check.Err(); err != nil {
		return contract.GetRoomStatesReply{}, err
	}
	states, err := h.rooms.States(ctx, req)
	return contract.GetRoomStatesReply{Items: states}, err
}

func (h *handlers) listHeads(ctx context.Context, reqs []contract.ListHeadsRequest) []rpc.Result[contract.ListHeadsReply] {
	results := make([]rpc.Result[contract.ListHeadsReply], len(reqs))
	var fine []contract.ListHeadsRequest
	var places []int // of their results
	for i, req := range reqs {
		var check fault.Check
		checkCaller(&check, req.Caller)
		check.That(req.Cursor == "" || contract.ValidID(req.Cursor), "cursor", "is none that was given out")
		if results[i].Err = check.Err(); results[i].Err == nil {
			fine, places = append(fine, req), append(places, i)
		}
	}
	for k, result := range h.rooms.Heads(ctx, fine) {
		results[places[k]] = result
	}
	return results
}

func (h *handlers) head(ctx context.Context, req contract.HeadRequest) (contract.HeadReply, error) {
	var check fault.Check
	checkRoom(&check, req.RoomID)
	if err := check.Err(); err != nil {
		return contract.HeadReply{}, err
	}
	last, err := tail(ctx, h.store, req.RoomID)
	return contract.HeadReply{LastSeq: last}, err
}
