package sqlite

import (
	"errors"
	"fmt"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/probe"
	"github.com/parley-im/parley/pkg/schema"
)

// uniqueFailed begins SQLite's text for all its unique violations, primary
// keys included; the columns follow.
const uniqueFailed = "UNIQUE constraint failed: "

// IsUnique reports whether err is, or wraps, the violation of the unique or
// primary key over these columns, written as SQLite does: "users.account", or
// "messages.room_id, messages.seq" in the order of the key. An index over an
// expression is "index 'NAME'".
func IsUnique(err error, columns string) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID:
	default:
		return false
	}
	_, found, ok := strings.Cut(e.Error(), uniqueFailed)
	if !ok {
		return false
	}
	if i := strings.LastIndex(found, " ("); i >= 0 {
		found = found[:i] // the code in parentheses
	}
	return found == columns
}

// AsFault returns err as fault.Unavailable when it is the machine's state and
// no mistake of the program: another process holds the lock, the file can only
// be read or is damaged, the disk is full or does not answer, files or memory have
// run out. Any other error, nil too, it returns unchanged. Write and Query apply it
// by themselves; other reads go through it.
func (db *DB) AsFault(err error) error { return asFault(db.path, err) }

func asFault(path string, err error) error {
	switch code(err) & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL:
		return fault.New(fault.Unavailable, "the store is busy").Because(err)
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH:
		return probe.NotWritable(err)
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOMEM:
		return fault.New(fault.Unavailable, "the store does not answer").Because(err)
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return probe.Damaged(path, err)
	default:
		return err
	}
}

func isBusy(err error) bool        { return code(err)&0xff == sqlite3.SQLITE_BUSY }
func isInterrupted(err error) bool { return code(err)&0xff == sqlite3.SQLITE_INTERRUPT }

// notOpened names the file in an error of Open, and says what its operator can
// do about it.
func notOpened(path string, err error) error {
	switch primary(err) {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("open sqlite store: %s is damaged, restore it from a backup: %w", path, err)
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH, sqlite3.SQLITE_CANTOPEN:
		return fmt.Errorf("open sqlite store: %s can't be written; this process needs to write to the file and its directory: %w", path, err)
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return fmt.Errorf("open sqlite store %s: %w: %w", path, schema.ErrNotNow, err)
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("open sqlite store: %s can't be written, the disk is full: %w", path, err)
	default:
		return fmt.Errorf("open sqlite store %s: %w", path, err)
	}
}

// primary is SQLite's result code without its extension, also of an error that
// has become a fault; 0 when err is not SQLite's.
func primary(err error) int {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return 0
	}
	return e.Code() & 0xff
}

// code is SQLite's extended result code; 0 when err is not SQLite's, or is a
// fault already.
func code(err error) int {
	var f *fault.Error
	var e *sqlite.Error
	if errors.As(err, &f) || !errors.As(err, &e) {
		return 0
	}
	return e.Code()
}
