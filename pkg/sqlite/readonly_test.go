package sqlite

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/fault"
)

// setReadOnly has SQLite refuse the store's writes as it does those to a file
// that can only be read.
func setReadOnly(t *testing.T, db *DB, to string) {
	t.Helper()
	if _, err := db.write.ExecContext(t.Context(), "PRAGMA query_only = "+to); err != nil {
		t.Fatal(err)
	}
	db.writes.Forget()
}

func TestDB_Ping_finds_out_that_nothing_can_be_written(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "x.db"))
	if err := db.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	setReadOnly(t, db, "1")
	for range 2 { // it stays so, also between two attempts
		if err := db.Ping(t.Context()); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), db.path) {
			t.Errorf("got %v, want unavailable with the file's name", err)
		}
	}
	setReadOnly(t, db, "0")
	if err := db.Ping(t.Context()); err != nil {
		t.Errorf("writable again: %v", err)
	}
}

func TestDB_Write_to_what_can_only_be_read_is_unavailable_with_a_hint(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "x.db"))
	setReadOnly(t, db, "1")
	err := tryExec(t, db, `UPDATE counter SET n = 1`)
	if f := fault.From(err); f.Code != fault.Unavailable || f.RetryAfter <= 0 {
		t.Errorf("got %v", err)
	}
}

// Another process may hold the lock for longer than a check may take: it
// writes, so the store can be written.
func TestDB_probe_while_another_writes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	db, other := open(t, path), open(t, path)
	tx, err := other.begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	db.writes.Forget()
	if err := db.writes.Check(shortly(t), db.probe); err != nil {
		t.Errorf("got %v", err)
	}
}

// shortly is a context that has less time than any wait for a lock.
func shortly(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}
