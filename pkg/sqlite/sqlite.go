// Package sqlite opens the database file of a service that runs on one
// machine, also from several processes at once. It is modernc.org/sqlite (no
// cgo) in WAL mode with synchronous=FULL: a write that was answered survives a
// power cut. One connection writes, a few read.
//
// Every database has an outbox and a lease table, so that events lie in the
// same transaction as the change that they report; a store that embeds [*DB]
// is a bus.Outbox.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/parley-im/parley/pkg/probe"
)

const (
	// readers is how many reads run at once. Each costs a page cache of
	// about 2 MB; a read by index takes microseconds, so few are enough.
	readers = 4
	// lockWait is how long SQLite itself waits for another process's lock
	// before it answers SQLITE_BUSY, when it reads and when the file is opened.
	lockWait = 5 * time.Second
	// writeLockWait is the same for writes. SQLite's own waiting sleeps longer
	// and longer, up to 100 ms, so that of two busy processes the one that has
	// waited longest asks least; DB.begin asks again instead, evenly.
	writeLockWait = time.Millisecond
	// walLimit is the size in bytes to which the WAL file is cut back after
	// a checkpoint; a burst may let it grow beyond.
	walLimit = 64 << 20
)

// DB is one open database file. Its methods may be called at the same time.
type DB struct {
	write *sql.DB // one connection: writes of this process queue here
	read  *sql.DB

	path   string // absolute
	schema Schema
	writes probe.Writes
	lease  leaseWatch

	mu    sync.RWMutex
	reads map[string]*sql.Stmt // of Rows, by their text
}

// Open opens the file at path, makes it (0600, its directory 0700) when it is
// missing, and brings it to the schema, which may be empty. The tables outbox,
// lease, write_probe and schema_version are added by itself. It is an error,
// which names the file, when the database can't be written, is damaged or has
// been emptied, or when a newer program has made it unusable for this one. The
// caller closes the DB.
func Open(ctx context.Context, path string, schema Schema) (*DB, error) {
	abs, err := makeFile(ctx, path)
	if err != nil {
		return nil, err
	}
	db := &DB{path: abs, schema: schema, reads: map[string]*sql.Stmt{}}
	db.write, err = openPool(abs, 1, "journal_mode(WAL)", fmt.Sprintf("journal_size_limit(%d)", walLimit),
		fmt.Sprintf("busy_timeout(%d)", writeLockWait.Milliseconds()))
	if err != nil {
		return nil, err
	}
	if db.read, err = openPool(abs, readers, "query_only(1)"); err != nil {
		return nil, errors.Join(err, db.write.Close())
	}
	err = db.migrate(ctx)
	if err == nil {
		err = db.probe(ctx)
	}
	if err != nil {
		return nil, errors.Join(notOpened(abs, err), db.Close())
	}
	return db, nil
}

// Ping reads from the file and, at most every [probe.Every], writes to it.
func (db *DB) Ping(ctx context.Context) error {
	var n int
	if err := db.read.QueryRowContext(ctx, `SELECT count(*) FROM lease`).Scan(&n); err != nil {
		return fmt.Errorf("ping sqlite store: %w", db.AsFault(err))
	}
	if err := db.writes.Check(ctx, db.probe); err != nil {
		return fmt.Errorf("write to %s: %w", db.path, err)
	}
	return nil
}

// probe changes a row that nothing else uses. A transaction without a change
// would succeed on a file that can only be read.
func (db *DB) probe(ctx context.Context) error {
	err := db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO write_probe (one, n) VALUES (1, 1) ON CONFLICT (one) DO UPDATE SET n = n + 1`)
		return err
	})
	if primary(err) == sqlite3.SQLITE_BUSY {
		return fmt.Errorf("%w: %w", probe.ErrBusy, err)
	}
	return err
}

// Close waits for statements in hand and closes the file.
func (db *DB) Close() error {
	return errors.Join(db.read.Close(), db.write.Close())
}

// openPool prepares a pool; connections open when they are needed.
func openPool(path string, size int, pragmas ...string) (*sql.DB, error) {
	pool, err := sql.Open("sqlite", dsn(path, pragmas...))
	if err != nil {
		return nil, fmt.Errorf("open sqlite store: %w", err)
	}
	pool.SetMaxOpenConns(size)
	pool.SetMaxIdleConns(size)
	return pool, nil
}

// dsn names the file by a URI, in which no character of its path has a
// meaning.
func dsn(path string, pragmas ...string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/…
	}
	q := url.Values{
		"_busy_timeout": {fmt.Sprint(lockWait.Milliseconds())},
		"_txlock":       {"immediate"},
		"_pragma":       append([]string{"synchronous(FULL)", "foreign_keys(1)"}, pragmas...),
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String()
}
