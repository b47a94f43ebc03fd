package chat

import (
	"context"

	"github.com/parley-im/parley/pkg/contract"
)

// Heads repairs a user's read position where their own last message is
// ahead of it: its write came after the acknowledgement, if it came.
func (s *mongoStore) Heads(ctx context.Context, of ...UserRooms) ([]map[string]Head, error) {
	found, err := s.last(ctx, allRooms(of))
	if err != nil {
		return nil, err
	}
	last := make(map[string]lastDoc, len(found))
	for _, d := range found {
		last[d.RoomID] = d
	}
	ids := []string{} // $in takes no null
	for _, u := range of {
		for _, room := range u.RoomIDs {
			ids = append(ids, readID(u.UserID, room))
		}
	}
	read, err := s.readPositions(ctx, ids)
	if err != nil {
		return nil, err
	}
	heads := make([]map[string]Head, len(of))
	for i, u := range of {
		heads[i] = make(map[string]Head, len(u.RoomIDs))
		for _, room := range u.RoomIDs {
			seq, hasRead := read[readID(u.UserID, room)]
			h := Head{ReadSeq: seq}
			d, hasLast := last[room]
			if hasLast {
				h.LastSeq, h.SentAt = d.Seq, contract.NewTime(d.SentAt)
			}
			if hasLast && d.SenderID == u.UserID {
				h.ReadSeq = max(h.ReadSeq, d.Seq)
			}
			if hasRead || hasLast {
				heads[i][room] = h
			}
		}
	}
	return heads, nil
}
