package faults

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-im/parley/pkg/contract"
)

// Event is an entry of IM_EVENTS.
type Event struct {
	MsgID string // Nats-Msg-Id
	Data  []byte
}

// fetchWait bounds the wait for a part of the stream that is there.
const fetchWait = 5 * time.Second

// ReadEvents reads IM_EVENTS from its start to where it ends now.
func ReadEvents(ctx context.Context, nc *nats.Conn) ([]Event, error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	stream, err := js.Stream(ctx, contract.StreamName)
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	consumer, err := stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{})
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	var list []Event
	for total := stream.CachedInfo().State.Msgs; uint64(len(list)) < total; {
		batch, err := consumer.Fetch(int(min(500, total-uint64(len(list)))), jetstream.FetchMaxWait(fetchWait))
		if err != nil {
			return nil, fmt.Errorf("read events: %w", err)
		}
		before := len(list)
		for m := range batch.Messages() {
			list = append(list, Event{m.Headers().Get(nats.MsgIdHdr), m.Data()})
		}
		if err := batch.Error(); err != nil {
			return nil, fmt.Errorf("read events: %w", err)
		}
		if len(list) == before {
			return nil, errors.New("read events: the stream has more, but gives none")
		}
	}
	return list, nil
}

// Rebuilt is what the events say that there is.
type Rebuilt struct {
	Friends map[string]*Friends // by the id of the pair
	Groups  map[string]*Group
	Removed map[Place]bool // messages that were replaced by tombstones

	// Ended are sessions, with the reason why they ended.
	Ended []string

	Events, Repeated int
	// Wrong are events out of order, missing, or repeated under another id.
	Wrong []string
}

// Friends are two people, friends or no longer.
type Friends struct {
	UserIDs []string
	Are     bool
	Rev     int64
}

// Group is a group with its members; none are left in a disbanded one.
type Group struct {
	Members   map[string]contract.RoomMember
	Disbanded bool
	Rev       int64
}

// Place names a message.
type Place struct {
	RoomID string
	Seq    int64
}

// Rebuild plays events. Each of a pair or group must carry the revision after
// that of the one before it.
func Rebuild(events []Event) *Rebuilt {
	r := &Rebuilt{Friends: map[string]*Friends{}, Groups: map[string]*Group{}, Removed: map[Place]bool{}}
	seen := map[string]string{}
	for _, e := range events {
		r.Events++
		var body contract.EventBody[json.RawMessage]
		if err := json.Unmarshal(e.Data, &body); err != nil {
			note(&r.Wrong, "an event that is none: %v", err)
			continue
		}
		if body.ID == "" || body.ID != e.MsgID {
			note(&r.Wrong, "event %s lies under the id %s", body.ID, e.MsgID)
		}
		if before, again := seen[body.ID]; again {
			r.Repeated++
			if before != string(e.Data) {
				note(&r.Wrong, "event %s came twice and differs", body.ID)
			}
			continue
		}
		seen[body.ID] = string(e.Data)
		if err := r.play(body); err != nil {
			note(&r.Wrong, "event %s: %v", body.ID, err)
		}
	}
	return r
}

func (r *Rebuilt) play(body contract.EventBody[json.RawMessage]) error {
	switch {
	case strings.HasPrefix(body.Type, "social.friendship."):
		return r.friendship(body)
	case strings.HasPrefix(body.Type, "social.group."):
		return r.group(body)
	case body.Type == "chat.message.removed":
		var d contract.MessageEvent
		if err := json.Unmarshal(body.Data, &d); err != nil {
			return err
		}
		place := Place{d.RoomID, d.Seq}
		if r.Removed[place] {
			return fmt.Errorf("message %d of room %s was removed before", d.Seq, d.RoomID)
		}
		r.Removed[place] = true
	case body.Type == "auth.session.ended":
		var d contract.SessionEvent
		if err := json.Unmarshal(body.Data, &d); err != nil {
			return err
		}
		note(&r.Ended, "session %s of user %s at %s: %s", d.SessionID, d.UserID, body.At.Format("15:04:05.000"), d.Reason)
	}
	return nil
}

func (r *Rebuilt) friendship(body contract.EventBody[json.RawMessage]) error {
	var d contract.FriendshipEvent
	if err := json.Unmarshal(body.Data, &d); err != nil {
		return err
	}
	f, ok := r.Friends[d.RoomID]
	if !ok {
		f = &Friends{UserIDs: d.UserIDs}
		r.Friends[d.RoomID] = f
	}
	f.Are = body.Type == "social.friendship.made"
	return follows(d.RoomID, &f.Rev, d.Rev)
}

func (r *Rebuilt) group(body contract.EventBody[json.RawMessage]) error {
	var d contract.RoomEvent
	if err := json.Unmarshal(body.Data, &d); err != nil {
		return err
	}
	g, ok := r.Groups[d.RoomID]
	if !ok {
		g = &Group{Members: map[string]contract.RoomMember{}}
		r.Groups[d.RoomID] = g
	}
	for _, m := range d.Members {
		g.Members[m.UserID] = m
	}
	for _, userID := range d.Left {
		delete(g.Members, userID)
	}
	g.Disbanded = g.Disbanded || body.Type == "social.group.disbanded"
	return follows(d.RoomID, &g.Rev, d.Rev)
}

// follows moves a revision on, to the next.
func follows(id string, rev *int64, to int64) error {
	before := *rev
	*rev = to
	if to != before+1 {
		return fmt.Errorf("%s has revision %d after %d", id, to, before)
	}
	return nil
}
