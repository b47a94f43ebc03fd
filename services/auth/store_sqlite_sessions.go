package auth

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/parley-im/parley/pkg/contract"
)

const sqlSessions = `SELECT id, user_id, device_name, epoch, family, current, previous, rotated_at, created_at, last_used_at, ended_at, reason, rev FROM sessions WHERE `

func (s *sqliteStore) Session(ctx context.Context, id string) (*Session, error) {
	return first(s.sessions(ctx, `id = ?`, id))
}

func (s *sqliteStore) OpenSessions(ctx context.Context, userID string) ([]Session, error) {
	return s.sessions(ctx, `user_id = ? AND ended_at = 0`, userID)
}

func (s *sqliteStore) EndedSince(ctx context.Context, t contract.Time) ([]Session, error) {
	return s.sessions(ctx, `ended_at >= ?`, max(1, t.UnixMilli()))
}

func (s *sqliteStore) sessions(ctx context.Context, where string, arg any) ([]Session, error) {
	var list []Session
	err := s.query(ctx, sqlSessions+where, []any{arg}, func(rows *sql.Rows) error {
		var v Session
		var family, current, previous []byte
		var rotated, created, used, ended int64
		err := rows.Scan(&v.ID, &v.UserID, &v.DeviceName, &v.Epoch, &family, &current, &previous, &rotated, &created, &used, &ended, &v.Reason, &v.Rev)
		if err != nil {
			return err
		}
		copy(v.Family[:], family)
		copy(v.Current[:], current)
		copy(v.Previous[:], previous)
		v.RotatedAt, v.CreatedAt, v.LastUsedAt = contract.FromMilli(rotated), contract.FromMilli(created), contract.FromMilli(used)
		if ended != 0 {
			v.EndedAt = contract.FromMilli(ended)
		}
		list = append(list, v)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read sessions: %w", err)
	}
	return list, nil
}

func (s *sqliteStore) SaveSession(ctx context.Context, v Session, events []contract.Event) error {
	var ended int64
	if !v.EndedAt.IsZero() {
		ended = v.EndedAt.UnixMilli()
	}
	return s.Write(ctx, func(tx *sql.Tx) error {
		var result sql.Result
		var err error
		if v.Rev == 1 {
			result, err = tx.ExecContext(ctx, `INSERT INTO sessions
				(id, user_id, device_name, epoch, family, current, previous, rotated_at, created_at, last_used_at, ended_at, reason, rev)
				VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
				v.ID, v.UserID, v.DeviceName, v.Epoch, v.Family[:], v.Current[:], v.Previous[:],
				v.RotatedAt.UnixMilli(), v.CreatedAt.UnixMilli(), v.LastUsedAt.UnixMilli(), ended, v.Reason, v.Rev)
		} else {
			result, err = tx.ExecContext(ctx, `UPDATE sessions SET device_name = ?, current = ?, previous = ?, rotated_at = ?,
				last_used_at = ?, ended_at = ?, reason = ?, rev = ? WHERE id = ? AND rev = ?`,
				v.DeviceName, v.Current[:], v.Previous[:], v.RotatedAt.UnixMilli(),
				v.LastUsedAt.UnixMilli(), ended, v.Reason, v.Rev, v.ID, v.Rev-1)
		}
		if err := oneRow(result, err); err != nil {
			return fmt.Errorf("save session: %w", err)
		}
		return s.AddEvents(ctx, tx, events)
	})
}

// RemoveSessions need not look for events: here they wait in a table of
// their own.
func (s *sqliteStore) RemoveSessions(ctx context.Context, ended, used contract.Time, limit int) (int, error) {
	var removed int64
	err := s.Write(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE id IN (
			SELECT id FROM sessions WHERE ended_at > 0 AND ended_at < ?1
			UNION SELECT id FROM sessions WHERE last_used_at < ?2 LIMIT ?3)`,
			ended.UnixMilli(), used.UnixMilli(), limit)
		if err != nil {
			return fmt.Errorf("remove sessions: %w", err)
		}
		removed, err = result.RowsAffected()
		return err
	})
	return int(removed), err
}
