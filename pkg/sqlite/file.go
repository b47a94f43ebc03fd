package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// applicationID marks a new file as Parley's ("Parl"), and gives it a first
// page: a store is never empty.
const applicationID = 0x5061726c

// makeFile returns the absolute path of the store, and makes its file when it
// is missing. It refuses a file that was emptied, or was lost without the
// changes in its write-ahead log: beginning a store from nothing there would
// hide that all of it is gone.
func makeFile(ctx context.Context, path string) (abs string, err error) {
	if abs, err = filepath.Abs(path); err != nil {
		return "", fmt.Errorf("find sqlite store: %w", err)
	}
	dir := filepath.Dir(abs)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make directory of sqlite store: %w", err)
	}
	switch info, err := os.Stat(abs); {
	case errors.Is(err, fs.ErrNotExist):
		return abs, newFile(ctx, dir, abs)
	case err != nil:
		return "", fmt.Errorf("find sqlite store: %w", err)
	case info.Size() == 0:
		return "", fmt.Errorf("open sqlite store: %s is empty, which a store never is: restore it from a backup, or remove the file to begin without data", abs)
	default:
		return abs, nil
	}
}

// newFile makes a database without tables that only its owner reads: SQLite
// would follow the umask. It appears under its name by a link, never opened by
// it: closing a file drops the POSIX locks that SQLite holds on it in this
// process.
func newFile(ctx context.Context, dir, abs string) error {
	if info, err := os.Stat(abs + "-wal"); err == nil && info.Size() > 0 {
		return fmt.Errorf("open sqlite store: %s is missing, but %s-wal has changes to it: restore it from a backup, or remove that file, too, to begin without data", abs, abs)
	}
	f, err := os.CreateTemp(dir, ".new-store-*") // 0600
	if err != nil {
		return fmt.Errorf("make sqlite store: %w", err)
	}
	defer os.Remove(f.Name())
	if err := f.Close(); err != nil {
		return fmt.Errorf("make sqlite store: %w", err)
	}
	if err := firstPage(ctx, f.Name()); err != nil {
		return fmt.Errorf("make sqlite store %s: %w", abs, err)
	}
	// A file system without hard links has no modes to lose, and the process
	// that came first has made the same file: both leave the rest to SQLite.
	_ = os.Link(f.Name(), abs)
	return nil
}

// firstPage makes an empty file a database, on disk when it returns.
func firstPage(ctx context.Context, path string) (err error) {
	db, err := sql.Open("sqlite", dsn(path))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	_, err = db.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", applicationID))
	return err
}
