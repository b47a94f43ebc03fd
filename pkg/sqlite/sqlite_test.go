package sqlite

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const testTables = `
CREATE TABLE IF NOT EXISTS users (
	id      TEXT PRIMARY KEY,
	account TEXT NOT NULL UNIQUE,
	age     INTEGER CHECK (age >= 0)
) STRICT;
CREATE TABLE IF NOT EXISTS pets (
	owner TEXT NOT NULL REFERENCES users (id),
	name  TEXT NOT NULL,
	tag   TEXT NOT NULL DEFAULT '',
	PRIMARY KEY (owner, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counter (n INTEGER NOT NULL) STRICT;
INSERT INTO counter SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM counter);
`

var testSchema = Schema{
	Steps:   []Step{{Name: "tables", SQL: testTables}},
	Indexes: []Index{{Name: "pets_tag", On: "pets (lower(tag)) WHERE tag <> ''", Unique: true}},
}

// open opens a store for one test.
func open(t *testing.T, path string) *DB {
	t.Helper()
	db, err := Open(t.Context(), path, testSchema)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return db
}

func mustExec(t *testing.T, db *DB, query string, args ...any) {
	t.Helper()
	if err := tryExec(t, db, query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func tryExec(t *testing.T, db *DB, query string, args ...any) error {
	t.Helper()
	return db.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(t.Context(), query, args...)
		return err
	})
}

func queryInt(t *testing.T, db *DB, query string) int {
	t.Helper()
	var n int
	if err := db.read.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

func TestOpen(t *testing.T) {
	t.Run("only_the_owner_reads_it", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "new", "deeper", "chat.db")
		db := open(t, path)
		mustExec(t, db, `UPDATE counter SET n = 1`)
		for file, want := range map[string]os.FileMode{
			filepath.Dir(path):               0o700,
			filepath.Dir(filepath.Dir(path)): 0o700,
			path:                             0o600,
			path + "-wal":                    0o600,
		} {
			info, err := os.Stat(file)
			if err != nil {
				t.Fatal(err)
			}
			if got := info.Mode().Perm(); got != want {
				t.Errorf("mode of %s is %o, want %o", filepath.Base(file), got, want)
			}
		}
		left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".new-*"))
		if err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	})
	t.Run("path_is_taken_literally", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "a ?mode=memory&b%41#c.db")
		open(t, path)
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	})
	t.Run("relative_path", func(t *testing.T) {
		t.Chdir(t.TempDir())
		open(t, "data/auth.db")
		if _, err := os.Stat(filepath.Join("data", "auth.db")); err != nil {
			t.Error(err)
		}
	})
	t.Run("again_keeps_what_was_written", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "x.db")
		db, err := Open(t.Context(), path, testSchema)
		if err != nil {
			t.Fatal(err)
		}
		mustExec(t, db, `UPDATE counter SET n = 7`)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if n := queryInt(t, open(t, path), `SELECT n FROM counter`); n != 7 {
			t.Errorf("counter is %d, want 7", n)
		}
	})
	t.Run("bad_schema_leaves_nothing", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "x.db")
		if _, err := Open(t.Context(), path, Schema{Steps: []Step{{SQL: `CREATE TABLE half (n INT); CREATE NONSENSE`}}}); err == nil {
			t.Fatal("opened with a broken schema")
		}
		db := open(t, path)
		if n := queryInt(t, db, `SELECT count(*) FROM sqlite_master WHERE name = 'half'`); n != 0 {
			t.Error("half of the schema was kept")
		}
	})
	t.Run("not_a_database", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "x.db")
		if err := os.WriteFile(path, []byte(strings.Repeat("no database ", 100)), 0o600); err != nil {
			t.Fatal(err)
		}
		if db, err := Open(t.Context(), path, testSchema); err == nil {
			db.Close()
			t.Error("opened a file that is no database")
		}
	})
}

func TestOpen_settings(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "x.db"))
	for name, pool := range map[string]*sql.DB{"write": db.write, "read": db.read} {
		for pragma, want := range map[string]string{
			"journal_mode": "wal",
			"synchronous":  "2", // FULL
			"foreign_keys": "1",
			"busy_timeout": map[string]string{"write": "1", "read": "5000"}[name],
			"query_only":   map[string]string{"write": "0", "read": "1"}[name],
		} {
			var got string
			if err := pool.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil {
				t.Fatal(err)
			}
			if got != want {
				t.Errorf("%s of the %s pool is %s, want %s", pragma, name, got, want)
			}
		}
	}
	if _, err := db.read.ExecContext(t.Context(), `UPDATE counter SET n = 1`); err == nil {
		t.Error("the read pool wrote")
	}
}

func TestDB_Ping(t *testing.T) {
	db, err := Open(t.Context(), filepath.Join(t.TempDir(), "x.db"), testSchema)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Ping(t.Context()); err != nil {
		t.Errorf("open: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := db.Ping(context.Background()); err == nil {
		t.Error("a closed store answered")
	}
}
