package gateway

import (
	"context"
	"fmt"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/token"
)

// readyRounds bounds how often the list of rooms is read until it stands
// still. Two are enough unless rooms change all the time.
const readyRounds = 4

// welcome attaches an authenticated connection to its user and rooms and
// returns where they stand. The order keeps anything from falling in between:
// subscribe, have the NATS server confirm it, and read the heads after that;
// a room new to this gateway therefore means reading once more.
func (s *sockets) welcome(ctx context.Context, c *conn, claims token.Claims) (contract.ReadyData, error) {
	if err := s.hub.attach(ctx, c, claims.UserID); err != nil {
		return contract.ReadyData{}, fault.New(fault.Unavailable, "live delivery is not available").After(retryHint).Because(err)
	}
	rooms, err := s.settled(ctx, c, contract.Caller{UserID: claims.UserID, SessionID: claims.SessionID})
	if err != nil {
		return contract.ReadyData{}, err
	}
	heads := make([]contract.RoomHead, len(rooms))
	for i, room := range rooms {
		heads[i] = room.RoomHead
	}
	return contract.ReadyData{
		UserID:       claims.UserID,
		SessionID:    claims.SessionID,
		ConnectionID: c.id,
		HeartbeatMS:  s.cfg.Heartbeat.Milliseconds(),
		Limits:       s.limits,
		Rooms:        heads,
	}, nil
}

// settled reads the user's rooms and joins them, until a list was read with
// every room in it subscribed.
func (s *sockets) settled(ctx context.Context, c *conn, caller contract.Caller) ([]contract.RoomHeadRev, error) {
	for range readyRounds {
		before := c.joined()
		rooms, err := listHeads(ctx, s.calls, caller)
		if err != nil {
			return nil, fmt.Errorf("list heads: %w", err)
		}
		fresh, err := s.hub.settle(ctx, c, before, rooms)
		if err != nil {
			return nil, fault.New(fault.Unavailable, "live delivery is not available").After(retryHint).Because(err)
		}
		if fresh == 0 && !s.anyBehind(rooms) {
			return rooms, nil
		}
	}
	return nil, fault.New(fault.Unavailable, "your rooms change too fast").After(retryHint)
}

func (s *sockets) anyBehind(rooms []contract.RoomHeadRev) bool {
	for _, room := range rooms {
		if s.hub.shard(room.ID).behind(room.ID, room.Rev) {
			return true
		}
	}
	return false
}
