package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/parley-im/parley/pkg/schema"
)

// Schema is the layout of a store's database. Package schema says what
// programs of different versions may expect of each other.
type Schema struct {
	// Steps bring a database from nothing to this program's layout. A step that
	// was released is never changed, moved or taken out: new ones follow.
	Steps []Step
	// Indexes stand apart, since each start makes those that are missing.
	Indexes []Index
}

// Step changes the layout, or what is stored.
type Step struct {
	Name string // in a few words, for errors
	SQL  string // statements; the first step of a database made before steps finds its tables there
	// Breaks says that programs that don't know this step can't use the
	// database any more.
	Breaks bool
}

// Index is an index that a store relies on.
type Index struct {
	Name   string // unique in the database, and never used again for another
	On     string // such as "users (email) WHERE email <> ''"
	Unique bool
}

func (i Index) create() string {
	if i.Unique {
		return "CREATE UNIQUE INDEX IF NOT EXISTS " + i.Name + " ON " + i.On
	}
	return "CREATE INDEX IF NOT EXISTS " + i.Name + " ON " + i.On
}

// ownVersion holds one row, once a step has run.
const ownVersion = `
CREATE TABLE IF NOT EXISTS schema_version (
	one   INTEGER PRIMARY KEY CHECK (one = 1),
	steps INTEGER NOT NULL,
	floor INTEGER NOT NULL
) STRICT;
`

const sqlVersion = `SELECT steps, floor FROM schema_version`

// migrate takes the steps that the database lacks and makes the indexes that
// it lacks: all of it in one transaction, or nothing. Of several processes
// that start at once the first does so while the others wait for the lock.
func (db *DB) migrate(ctx context.Context) error {
	return db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, ownSchema+ownVersion); err != nil {
			return err
		}
		known := len(db.schema.Steps)
		before, err := version(tx.QueryRowContext(ctx, sqlVersion))
		if err != nil {
			return err
		}
		if err := before.Admit(known); err != nil {
			return err
		}
		if before.Newer(known) {
			return nil
		}
		now := before
		for i, step := range db.schema.Steps[before.Steps:] {
			if _, err := tx.ExecContext(ctx, step.SQL); err != nil {
				return fmt.Errorf("schema step %d, %s: %w", before.Steps+i+1, step.Name, err)
			}
			now = now.After(before.Steps+i+1, step.Breaks)
		}
		for _, index := range db.schema.Indexes {
			if _, err := tx.ExecContext(ctx, index.create()); err != nil {
				return fmt.Errorf("make index %s: %w", index.Name, err)
			}
		}
		if now == before {
			return nil
		}
		_, err = tx.ExecContext(ctx, `INSERT OR REPLACE INTO schema_version (one, steps, floor) VALUES (1, ?, ?)`, now.Steps, now.Floor)
		return err
	})
}

func version(row *sql.Row) (schema.Version, error) {
	var v schema.Version
	err := row.Scan(&v.Steps, &v.Floor)
	if errors.Is(err, sql.ErrNoRows) {
		return schema.Version{}, nil
	}
	return v, err
}

// Schema reads what the database has of the layout now.
func (db *DB) Schema(ctx context.Context) (schema.State, error) {
	state := schema.State{Known: len(db.schema.Steps)}
	var err error
	if state.Version, err = version(db.read.QueryRowContext(ctx, sqlVersion)); err != nil {
		return state, fmt.Errorf("read schema version: %w", db.AsFault(err))
	}
	if state.Newer(state.Known) {
		return state, nil
	}
	there := map[string]bool{}
	err = db.Query(ctx, `SELECT name FROM sqlite_master WHERE type = 'index'`, nil, func(rows *sql.Rows) error {
		var name string
		if err := rows.Scan(&name); err != nil {
			return err
		}
		there[name] = true
		return nil
	})
	if err != nil {
		return state, fmt.Errorf("read indexes: %w", err)
	}
	for _, index := range db.schema.Indexes {
		if !there[index.Name] {
			state.Missing = append(state.Missing, index.Name)
		}
	}
	return state, nil
}
