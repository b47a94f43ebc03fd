package sqlite

import (
	"database/sql"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/parley-im/parley/pkg/schema"
)

// The programs of three releases: the second adds a column, and the third does
// away with what the others read.
func release(n int) Schema {
	all := []Step{
		{Name: "tables", SQL: `CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT`},
		{Name: "authors", SQL: `ALTER TABLE notes ADD COLUMN author TEXT NOT NULL DEFAULT 'nobody'; INSERT INTO notes (text) VALUES ('step 2')`},
		{Name: "no texts", SQL: `ALTER TABLE notes DROP COLUMN text`, Breaks: true},
	}
	s := Schema{Steps: all[:n], Indexes: []Index{{Name: "notes_text", On: "notes (text)"}}}
	if n > 1 {
		s.Indexes = []Index{{Name: "notes_author", On: "notes (author)"}}
	}
	return s
}

func openRelease(t *testing.T, path string, n int) *DB {
	t.Helper()
	db, err := Open(t.Context(), path, release(n))
	if err != nil {
		t.Fatalf("release %d: %v", n, err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func state(t *testing.T, db *DB) schema.State {
	t.Helper()
	s, err := db.Schema(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSchema_upgrade(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	before := open(t, path) // made by a program that knew no steps
	mustExec(t, before, release(1).Steps[0].SQL)
	mustExec(t, before, `INSERT INTO notes (text) VALUES ('old'); DELETE FROM schema_version`)

	one := openRelease(t, path, 1)
	if s := state(t, one); s.Version != (schema.Version{Steps: 1}) || len(s.Missing) > 0 {
		t.Errorf("after release 1: %+v", s)
	}
	two := openRelease(t, path, 2)
	if s := state(t, two); s.Version != (schema.Version{Steps: 2}) || len(s.Missing) > 0 {
		t.Errorf("after release 2: %+v", s)
	}
	if n := queryInt(t, two, `SELECT count(*) FROM notes WHERE author = 'nobody' AND text = 'old'`); n != 1 {
		t.Error("what was there did not get the new column")
	}
	mustExec(t, one, `INSERT INTO notes (text) VALUES ('by the older program, which runs on')`)

	t.Run("again", func(t *testing.T) {
		again := openRelease(t, path, 2)
		if n := queryInt(t, again, `SELECT count(*) FROM notes WHERE text = 'step 2'`); n != 1 {
			t.Errorf("step 2 ran %d times", n)
		}
	})
	t.Run("an older program starts", func(t *testing.T) {
		mustExec(t, two, `DROP INDEX notes_text`)
		old := openRelease(t, path, 1)
		mustExec(t, old, `INSERT INTO notes (text) VALUES ('old program')`)
		s := state(t, old)
		if s.Steps != 2 || s.Known != 1 || len(s.Missing) > 0 {
			t.Errorf("it finds %+v", s)
		}
		if n := queryInt(t, old, `SELECT count(*) FROM sqlite_master WHERE name = 'notes_text'`); n != 0 {
			t.Error("it made an index that its successor has no use for")
		}
	})
	t.Run("an older program is refused", func(t *testing.T) {
		three := release(3)
		three.Steps[2].SQL = `DROP INDEX IF EXISTS notes_text; ` + three.Steps[2].SQL
		db, err := Open(t.Context(), path, three)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if s := state(t, db); s.Version != (schema.Version{Steps: 3, Floor: 3}) {
			t.Errorf("after release 3: %+v", s)
		}
		if old, err := Open(t.Context(), path, release(2)); err == nil {
			old.Close()
			t.Error("it was let in")
		} else if !strings.Contains(err.Error(), "of schema version 3") {
			t.Errorf("it was told %v", err)
		}
	})
}

// A program that dies in a step, or fails in one, leaves the database as it
// was.
func TestSchema_failed_step_leaves_nothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	one := openRelease(t, path, 1)
	broken := release(3)
	broken.Steps[2].SQL = `NONSENSE`
	if db, err := Open(t.Context(), path, broken); err == nil {
		db.Close()
		t.Fatal("opened with a broken step")
	} else if !strings.Contains(err.Error(), "schema step 3, no texts") {
		t.Errorf("the error does not name the step: %v", err)
	}
	if s := state(t, one); s.Steps != 1 {
		t.Errorf("left at %+v", s)
	}
	if err := tryExec(t, one, `SELECT author FROM notes`); err == nil {
		t.Error("step 2 was kept")
	}
	openRelease(t, path, 2)
}

func TestSchema_many_start_at_once(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	openRelease(t, path, 1)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() { // each with its own connections, as processes have
			db, err := Open(t.Context(), path, release(1+i%2))
			if err != nil {
				t.Error(err)
				return
			}
			err = db.Write(t.Context(), func(tx *sql.Tx) error {
				_, err := tx.ExecContext(t.Context(), `INSERT INTO notes (text) VALUES ('started')`)
				return err
			})
			if err := errors.Join(err, db.Close()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	db := openRelease(t, path, 2)
	for text, want := range map[string]int{"step 2": 1, "started": 8} {
		if n := queryInt(t, db, `SELECT count(*) FROM notes WHERE text = '`+text+`'`); n != want {
			t.Errorf("%q is there %d times, want %d", text, n, want)
		}
	}
}

func TestSchema_missing_index(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	db := openRelease(t, path, 2)
	mustExec(t, db, `DROP INDEX notes_author`)
	if s := state(t, db); !slices.Equal(s.Missing, []string{"notes_author"}) {
		t.Errorf("missing: %v", s.Missing)
	}
	if s := state(t, openRelease(t, path, 2)); len(s.Missing) > 0 {
		t.Errorf("the next start did not make %v", s.Missing)
	}
}
