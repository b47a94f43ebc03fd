package chat

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/sqlite"
)

// Heads asks one question about one user, and two about several.
func (s *sqliteStore) Heads(ctx context.Context, of ...UserRooms) ([]map[string]Head, error) {
	if len(of) == 1 {
		heads, err := s.headsOfOne(ctx, of[0])
		if err != nil {
			return nil, fmt.Errorf("read heads: %w", err)
		}
		return []map[string]Head{heads}, nil
	}
	// Positions after ends: so they are not behind a last message of the users'
	// own, which moved them when it was written.
	ends, err := s.ends(ctx, allRooms(of))
	if err != nil {
		return nil, fmt.Errorf("read heads: %w", err)
	}
	positions, err := s.positions(ctx, of)
	if err != nil {
		return nil, fmt.Errorf("read positions: %w", err)
	}
	heads := make([]map[string]Head, len(of))
	for i, u := range of {
		heads[i] = make(map[string]Head, len(u.RoomIDs))
		for _, room := range u.RoomIDs {
			h, hasEnd := ends[room]
			seq, hasRead := positions[readKey{userID: u.UserID, roomID: room}]
			if hasEnd || hasRead {
				h.ReadSeq = seq
				heads[i][room] = h
			}
		}
	}
	return heads, nil
}

func (s *sqliteStore) headsOfOne(ctx context.Context, of UserRooms) (map[string]Head, error) {
	heads := make(map[string]Head, len(of.RoomIDs))
	err := s.query(ctx, func(rows *sql.Rows) error {
		var room string
		var last, sent, read sql.NullInt64
		if err := rows.Scan(&room, &last, &sent, &read); err != nil {
			return err
		}
		if last.Valid || read.Valid {
			heads[room] = Head{LastSeq: last.Int64, SentAt: contract.FromMilli(sent.Int64), ReadSeq: read.Int64}
		}
		return nil
	}, sqlHeads, of.UserID, sqlite.List(of.RoomIDs))
	return heads, err
}

// ends returns the rooms' heads, without read positions, of those that have
// messages.
func (s *sqliteStore) ends(ctx context.Context, roomIDs []string) (map[string]Head, error) {
	ends := make(map[string]Head, len(roomIDs))
	err := s.query(ctx, func(rows *sql.Rows) error {
		var room string
		var last, sent int64
		if err := rows.Scan(&room, &last, &sent); err != nil {
			return err
		}
		ends[room] = Head{LastSeq: last, SentAt: contract.FromMilli(sent)}
		return nil
	}, sqlEnds, sqlite.List(roomIDs))
	return ends, err
}

// positions returns all of the users' read positions.
func (s *sqliteStore) positions(ctx context.Context, of []UserRooms) (map[readKey]int64, error) {
	users := make([]string, len(of))
	for i, u := range of {
		users[i] = u.UserID
	}
	found := map[readKey]int64{}
	err := s.query(ctx, func(rows *sql.Rows) error {
		var roomID string
		var user, seq int64
		if err := rows.Scan(&user, &roomID, &seq); err != nil {
			return err
		}
		found[readKey{userID: of[user].UserID, roomID: roomID}] = seq
		return nil
	}, sqlPositions, sqlite.List(users))
	return found, err
}
