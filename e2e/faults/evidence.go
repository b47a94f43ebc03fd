package faults

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/services/chat"
	"github.com/parley-im/parley/standalone/embedded"
)

// eventsWait is how long outboxes may take to be empty.
const eventsWait = 30 * time.Second

// events waits until what the events rebuild is what the stores have, and
// notes what is not. After a failure it does not wait.
func (r *run) events(ctx context.Context) error {
	secrets, err := embedded.LoadSecrets(ctx, r.world.Data)
	if err != nil {
		return err
	}
	nc, err := nats.Connect("nats://"+r.world.NATSAddr, nats.UserInfo(contract.OperatorUser, secrets.NATS[contract.OperatorUser]))
	if err != nil {
		return fmt.Errorf("read events: %w", err)
	}
	defer nc.Close()
	users := make([]string, len(r.cast.Users))
	for i, u := range r.cast.Users {
		users[i] = u.ID
	}
	for deadline := time.Now().Add(eventsWait); ; {
		list, err := ReadEvents(ctx, nc)
		if err != nil {
			return err
		}
		r.rebuilt = Rebuild(list)
		differs, err := r.rebuilt.Compare(ctx, r.social, users)
		if err != nil {
			return err
		}
		tombstones, err := r.tombstones(ctx)
		if err != nil {
			return err
		}
		differs = append(differs, tombstones...)
		r.report.Events, r.report.Repeated = r.rebuilt.Events, r.rebuilt.Repeated
		r.report.Differs, r.report.Disorders, r.report.Ended = differs, r.rebuilt.Wrong, r.rebuilt.Ended
		if len(differs) == 0 || r.ctx.Err() != nil || time.Now().After(deadline) {
			return nil
		}
		if !sleep(ctx, 300*time.Millisecond) {
			return ctx.Err()
		}
	}
}

// tombstones says where those of chat's store and the events about them
// differ.
func (r *run) tombstones(ctx context.Context) (differs []string, err error) {
	known := maps.Clone(r.rebuilt.Removed)
	for _, id := range r.roomIDs() {
		log, err := r.log(ctx, id)
		if err != nil {
			return nil, err
		}
		for _, m := range log {
			place := Place{m.RoomID, m.Seq}
			if removed := m.RemovedAt != nil; removed != known[place] {
				note(&differs, "message %d of room %s: removed %v, but not by its event", m.Seq, m.RoomID, removed)
			}
			delete(known, place)
		}
	}
	for place := range known {
		note(&differs, "message %d of room %s: an event says that it was removed, but it is not stored", place.Seq, place.RoomID)
	}
	return differs, nil
}

// roomIDs are all rooms of which anyone knows: the planned ones, and those of
// the events.
func (r *run) roomIDs() []string {
	ids := map[string]bool{}
	for _, v := range r.cast.Venues {
		ids[v.ID] = true
	}
	if r.rebuilt != nil {
		for id := range r.rebuilt.Groups {
			ids[id] = true
		}
		for id := range r.rebuilt.Friends {
			ids[id] = true
		}
	}
	for _, s := range r.ledger.Sent() {
		ids[s.RoomID] = true
	}
	return slices.Sorted(maps.Keys(ids))
}

// log reads the whole log of a room from the store.
func (r *run) log(ctx context.Context, roomID string) ([]contract.Message, error) {
	var log []contract.Message
	for from := int64(1); ; {
		page, err := r.chat.Page(ctx, chat.Range{RoomID: roomID, From: from, To: 1 << 60, Limit: 1000, Bytes: 64 << 20})
		if err != nil {
			return nil, fmt.Errorf("read room %s: %w", roomID, err)
		}
		for _, m := range page {
			log = append(log, m.Message)
		}
		if len(page) == 0 {
			return log, nil
		}
		from = page[len(page)-1].Seq + 1
	}
}

// compare puts the evidence together and checks it.
func (r *run) compare(ctx context.Context) error {
	e := Evidence{Sent: r.ledger.Sent(), Received: r.ledger.Received(), Devices: map[string][]string{}}
	for _, d := range r.crowd.Devices() {
		e.Devices[d.User.ID] = append(e.Devices[d.User.ID], d.Name)
	}
	planned := map[string]bool{}
	for _, v := range r.cast.Venues {
		planned[v.ID] = true
	}
	for _, id := range r.roomIDs() {
		log, err := r.log(ctx, id)
		if err != nil {
			return err
		}
		room := Room{ID: id, Stored: log, Loose: !planned[id]}
		if !room.Loose {
			if room.Members, err = r.members(ctx, id); err != nil {
				return err
			}
		}
		e.Rooms = append(e.Rooms, room)
	}
	r.report.Findings = Check(e)
	r.tally(e)
	return nil
}

// members are those of a room, with the first seq that they may read.
func (r *run) members(ctx context.Context, roomID string) (map[string]int64, error) {
	members := map[string]int64{}
	for _, u := range r.cast.Users {
		m, err := r.social.Membership(ctx, roomID, u.ID)
		if err != nil {
			return nil, fmt.Errorf("read members of room %s: %w", roomID, err)
		}
		if m.Member {
			members[u.ID] = m.Membership.FirstSeq
		}
	}
	return members, nil
}

// tally counts what the evidence has.
func (r *run) tally(e Evidence) {
	r.report.Sent = len(e.Sent)
	for _, s := range e.Sent {
		if s.Reply != nil {
			r.report.Acknowledged++
			r.report.LongestSend = max(r.report.LongestSend, s.Took.Seconds())
		}
	}
	for _, room := range e.Rooms {
		r.report.Stored += len(room.Stored)
		for _, m := range room.Stored {
			if m.RemovedAt != nil {
				r.report.Removed++
			}
		}
	}
	for _, d := range e.Received {
		for _, list := range d.Rooms {
			r.report.Received += len(list)
		}
	}
}
