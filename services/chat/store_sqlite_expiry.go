package chat

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/parley-im/parley/pkg/clock"
	"github.com/parley-im/parley/pkg/contract"
)

// sqliteExpired notes how far each room has expired, so that a round of
// retention does not look at all the tombstones of those before.
const sqliteExpired = `
CREATE TABLE expired (
	room_id TEXT    PRIMARY KEY,
	seq     INTEGER NOT NULL
) WITHOUT ROWID, STRICT;`

const (
	// One step of the primary key a room, however long they are.
	sqlRooms = `WITH RECURSIVE r (id) AS (
			SELECT min(room_id) FROM messages WHERE room_id > ?1
			UNION ALL SELECT (SELECT min(room_id) FROM messages WHERE room_id > r.id) FROM r WHERE r.id IS NOT NULL
			LIMIT ?2)
		SELECT id FROM r WHERE id IS NOT NULL`
	sqlOldest = `SELECT seq, sent_at FROM messages
		WHERE room_id = ?1 AND seq > coalesce((SELECT seq FROM expired WHERE room_id = ?1), 0) ORDER BY seq LIMIT ?2`
	// The next message whose time can be believed.
	sqlBelieved = `SELECT sent_at FROM messages WHERE room_id = ?1 AND seq > ?2 AND sent_at <= ?3 ORDER BY seq LIMIT 1`
	sqlExpire   = `UPDATE messages SET type = ?, text = '', hash = x'', removed_at = ?, removed_by = ?
		WHERE room_id = ? AND seq BETWEEN ? AND ? AND removed_at = 0`
	sqlExpired = `INSERT INTO expired (room_id, seq) VALUES (?, ?)
		ON CONFLICT (room_id) DO UPDATE SET seq = excluded.seq WHERE excluded.seq > seq`
)

// Rooms implements Store.
func (s *sqliteStore) Rooms(ctx context.Context, after string, limit int) (rooms []string, err error) {
	err = s.query(ctx, func(rows *sql.Rows) error {
		var room string
		if err := rows.Scan(&room); err != nil {
			return err
		}
		rooms = append(rooms, room)
		return nil
	}, sqlRooms, after, limit)
	if err != nil {
		return nil, fmt.Errorf("read rooms: %w", err)
	}
	return rooms, nil
}

// Expire is one transaction, and none where nothing has come of age.
func (s *sqliteStore) Expire(ctx context.Context, e Expiry) (done Expired, err error) {
	first, last, more, err := s.oldest(ctx, e)
	if err != nil || last == 0 {
		return Expired{}, err
	}
	done.More = more
	err = s.Write(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, sqlExpire, string(contract.MessageRemoved), e.At.UnixMilli(), e.By, e.RoomID, first, last)
		if err != nil {
			return err
		}
		removed, err := result.RowsAffected()
		if err != nil {
			return err
		}
		if done.Removed = int(removed); removed > 0 {
			r, err := e.removal(last)
			if err != nil {
				return err
			}
			if err := s.AddEvents(ctx, tx, r.Events); err != nil {
				return err
			}
		}
		_, err = tx.ExecContext(ctx, sqlExpired, e.RoomID, last)
		return err
	})
	if err != nil {
		return Expired{}, fmt.Errorf("expire messages: %w", err)
	}
	return done, nil
}

// oldest are the first and the last message of age, behind those that have
// expired; last is 0 for none. There may be more behind them.
func (s *sqliteStore) oldest(ctx context.Context, e Expiry) (first, last int64, more bool, err error) {
	n, end := 0, int64(0)
	err = s.query(ctx, func(rows *sql.Rows) error {
		var seq, sent int64
		if err := rows.Scan(&seq, &sent); err != nil {
			return err
		}
		at := contract.FromMilli(sent).Time
		believed := clock.Believable(at, e.At.Time)
		if believed && !at.Before(e.Before.Time) {
			return errEnough
		}
		if n++; n == 1 {
			first = seq
		}
		if end = seq; believed {
			last = seq // and those before it, whatever their clock said
		}
		return nil
	}, sqlOldest, e.RoomID, e.Limit)
	more = n == e.Limit
	if err != nil || !more || last > 0 {
		return first, last, more, err
	}
	// No time of the part can be believed: the next that can tells its age.
	err = s.query(ctx, func(rows *sql.Rows) error {
		var sent int64
		if err := rows.Scan(&sent); err != nil {
			return err
		}
		if sent < e.Before.UnixMilli() {
			last = end
		}
		return nil
	}, sqlBelieved, e.RoomID, end, e.At.Add(clock.MaxSkew).UnixMilli())
	return first, last, more, err
}
