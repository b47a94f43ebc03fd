package chat

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/sqlite"
)

// fewPositions are looked for one by one; to find more, all of a user's are
// read, which lie side by side: of 1,000 that takes half the time.
const fewPositions = 200

// Heads reads positions after ends, so that they are not behind a last message
// of the users' own, which moved them when it was written.
func (s *sqliteStore) Heads(ctx context.Context, of ...UserRooms) ([]map[string]Head, error) {
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

// positions returns the users' read positions, of the rooms asked for and
// maybe of more.
func (s *sqliteStore) positions(ctx context.Context, of []UserRooms) (map[readKey]int64, error) {
	found := map[readKey]int64{}
	take := func(rows *sql.Rows) error {
		var roomID string
		var user, seq int64
		if err := rows.Scan(&user, &roomID, &seq); err != nil {
			return err
		}
		found[readKey{userID: of[user].UserID, roomID: roomID}] = seq
		return nil
	}
	if len(of) == 1 && len(of[0].RoomIDs) <= fewPositions {
		err := s.query(ctx, take, sqlSomePositions, of[0].UserID, sqlite.List(of[0].RoomIDs))
		return found, err
	}
	users := make([]string, len(of))
	for i, u := range of {
		users[i] = u.UserID
	}
	err := s.query(ctx, take, sqlPositions, sqlite.List(users))
	return found, err
}

// ends returns the rooms' heads, without read positions, of those that have
// messages.
func (s *sqliteStore) ends(ctx context.Context, roomIDs []string) (map[string]Head, error) {
	ends := make(map[string]Head, len(roomIDs))
	err := s.query(ctx, func(rows *sql.Rows) error {
		var room string
		var end sql.NullString
		if err := rows.Scan(&room, &end); err != nil || !end.Valid {
			return err
		}
		seq, sent, _ := strings.Cut(end.String, " ")
		last, seqErr := strconv.ParseInt(seq, 10, 64)
		at, sentErr := strconv.ParseInt(sent, 10, 64)
		ends[room] = Head{LastSeq: last, SentAt: contract.FromMilli(at)}
		return errors.Join(seqErr, sentErr)
	}, sqlEnds, sqlite.List(roomIDs))
	return ends, err
}
