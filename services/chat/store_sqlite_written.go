package chat

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
)

// window is how many messages of a room are looked at for those of one user:
// there is no index of senders, whom nothing else asks for.
const window = 10_000

const (
	sqlPositionsAfter = `SELECT room_id, seq FROM read_positions WHERE user_id = ? AND room_id > ? ORDER BY room_id LIMIT ?`
	sqlWritten        = `SELECT ` + sqlColumns + ` FROM messages AS m WHERE m.room_id = ? AND m.seq > ? AND m.seq <= ? AND m.sender_id = ? ORDER BY m.seq LIMIT ?`
	sqlUnerased       = `SELECT seq FROM messages WHERE room_id = ? AND seq > ? AND seq <= ? AND sender_id = ? AND removed_at = 0 ORDER BY seq DESC LIMIT ?`
	sqlLowerRead      = `UPDATE read_positions SET seq = ? WHERE user_id = ? AND room_id = ? AND seq = ?`
	sqlForgetRead     = `DELETE FROM read_positions WHERE user_id = ? AND room_id = ? AND seq = ?`
)

// Positions implements Store.
func (s *sqliteStore) Positions(ctx context.Context, userID, after string, limit int) ([]Position, error) {
	var list []Position
	err := s.query(ctx, func(rows *sql.Rows) error {
		p := Position{UserID: userID}
		if err := rows.Scan(&p.RoomID, &p.Seq); err != nil {
			return err
		}
		list = append(list, p)
		return nil
	}, sqlPositionsAfter, userID, after, limit)
	if err != nil {
		return nil, fmt.Errorf("read positions: %w", err)
	}
	return list, nil
}

// Written reads in the order of seqs; the cursor is the last that was looked
// at.
func (s *sqliteStore) Written(ctx context.Context, w Written) (records []Record, next string, err error) {
	var from int64
	if w.Cursor != "" {
		if from, err = strconv.ParseInt(w.Cursor, 10, 64); err != nil || from < 0 {
			return nil, "", errCursor
		}
	}
	tails, err := s.Tails(ctx, []string{w.RoomID})
	if err != nil {
		return nil, "", err
	}
	p, full := page{left: w.Bytes}, false
	err = s.records(ctx, func(r Record) bool {
		if !p.take(r) {
			full = true
			return false
		}
		return true
	}, sqlWritten, w.RoomID, from, from+window, w.UserID, w.Limit)
	if err != nil {
		return nil, "", fmt.Errorf("read what a user wrote: %w", err)
	}
	switch to := from + window; {
	case full || len(p.records) == w.Limit:
		next = strconv.FormatInt(p.records[len(p.records)-1].Seq, 10)
	case to < tails[w.RoomID]:
		next = strconv.FormatInt(to, 10)
	}
	return p.records, next, nil
}

// Erase goes down the rooms from the user's read position, which is never
// below a message of theirs, and lowers it behind itself: so an erasure that
// was cut off goes on where it was. A message that comes meanwhile raises it,
// and is found by the next call.
func (s *sqliteStore) Erase(ctx context.Context, e Erasure) (Erased, error) {
	at, err := s.Positions(ctx, e.UserID, "", 1)
	if err != nil || len(at) == 0 {
		return Erased{Done: err == nil}, err
	}
	seqs, next, err := s.unerased(ctx, at[0], e.Limit)
	if err != nil {
		return Erased{}, fmt.Errorf("read what a user wrote: %w", err)
	}
	var done Erased
	err = s.Write(ctx, func(tx *sql.Tx) error {
		if err := s.AddEvents(ctx, tx, e.Events); err != nil {
			return err
		}
		for _, seq := range seqs {
			r, err := e.removal(Place{RoomID: at[0].RoomID, Seq: seq})
			if err != nil {
				return err
			}
			removed, err := s.remove(ctx, tx, r)
			if err != nil {
				return err
			}
			if removed {
				done.Removed = append(done.Removed, r.Place)
			}
		}
		return lowerRead(ctx, tx, at[0], next)
	})
	if err != nil {
		return Erased{}, fmt.Errorf("erase messages: %w", err)
	}
	return done, nil
}

// unerased are the last of a user's messages in a room, up to a position, and
// the position below them.
func (s *sqliteStore) unerased(ctx context.Context, at Position, limit int) (seqs []int64, next int64, err error) {
	next = max(0, at.Seq-window)
	err = s.query(ctx, func(rows *sql.Rows) error {
		var seq int64
		if err := rows.Scan(&seq); err != nil {
			return err
		}
		seqs = append(seqs, seq)
		return nil
	}, sqlUnerased, at.RoomID, next, at.Seq, at.UserID, limit)
	if len(seqs) == limit {
		next = seqs[limit-1] - 1
	}
	return seqs, next, s.AsFault(err)
}

// lowerRead leaves a position that has moved meanwhile.
func lowerRead(ctx context.Context, tx *sql.Tx, at Position, next int64) error {
	var err error
	if next > 0 {
		_, err = tx.ExecContext(ctx, sqlLowerRead, next, at.UserID, at.RoomID, at.Seq)
	} else {
		_, err = tx.ExecContext(ctx, sqlForgetRead, at.UserID, at.RoomID, at.Seq)
	}
	return err
}
