package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/parley-im/parley/pkg/revision"
)

// Rows runs a query on the pool for reads. Its statement is prepared once on
// each connection and kept, since to parse one costs more than most reads take.
// Nothing forgets it: query must be a constant of the program. The pool refuses
// writes; each read sees every write that was answered before it began.
func (db *DB) Rows(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	stmt, err := db.statement(ctx, query) //nolint:sqlclosecheck // it is kept, and ends with the pool
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

func (db *DB) statement(ctx context.Context, query string) (*sql.Stmt, error) {
	db.mu.RLock()
	stmt, ok := db.reads[query]
	db.mu.RUnlock()
	if ok {
		return stmt, nil
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	if stmt, ok := db.reads[query]; ok {
		return stmt, nil // somebody was faster
	}
	stmt, err := db.read.PrepareContext(ctx, query) //nolint:sqlclosecheck // the same
	if err != nil {
		return nil, err
	}
	db.reads[query] = stmt
	return stmt, nil
}

// Query hands each row of a read to scan; as with Rows, query is a constant.
func (db *DB) Query(ctx context.Context, query string, args []any, scan func(*sql.Rows) error) error {
	rows, err := db.Rows(ctx, query, args...)
	if err != nil {
		return db.AsFault(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return db.AsFault(err)
		}
	}
	return db.AsFault(rows.Err())
}

// OneRow takes what Exec of a write returned, and is revision.ErrConflict when
// it touched nothing.
func OneRow(result sql.Result, err error) error {
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if err == nil && n == 0 {
		return revision.ErrConflict
	}
	return err
}

// List passes any number of strings as one parameter, for
// IN (SELECT value FROM json_each(?)).
func List(values []string) string {
	if len(values) == 0 {
		return "[]"
	}
	list, _ := json.Marshal(values) // strings always encode
	return string(list)
}
