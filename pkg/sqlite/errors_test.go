package sqlite

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/probe"
)

func TestIsUnique(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "x.db"))
	mustExec(t, db, `INSERT INTO users VALUES ('u1', 'ann', 1)`)
	mustExec(t, db, `INSERT INTO pets VALUES ('u1', 'rex', 'T1')`)
	for name, c := range map[string]struct {
		query, columns string
		want           bool
	}{
		"unique":           {`INSERT INTO users VALUES ('u2', 'ann', 1)`, "users.account", true},
		"other_column":     {`INSERT INTO users VALUES ('u2', 'ann', 1)`, "users.id", false},
		"part_of_a_name":   {`INSERT INTO users VALUES ('u2', 'ann', 1)`, "users.acc", false},
		"primary_key":      {`INSERT INTO users VALUES ('u1', 'bob', 1)`, "users.id", true},
		"several_columns":  {`INSERT INTO pets VALUES ('u1', 'rex', '')`, "pets.owner, pets.name", true},
		"first_of_several": {`INSERT INTO pets VALUES ('u1', 'rex', '')`, "pets.owner", false},
		"expression":       {`INSERT INTO pets VALUES ('u1', 'tom', 't1')`, "index 'pets_tag'", true},
		"update":           {`INSERT INTO users VALUES ('u3', 'eve', 1); UPDATE users SET account = 'ann' WHERE id = 'u3'`, "users.account", true},
		"not_null":         {`INSERT INTO users VALUES ('u2', NULL, 1)`, "users.account", false},
		"check":            {`INSERT INTO users VALUES ('u2', 'bob', -1)`, "users.age", false},
		"foreign_key":      {`INSERT INTO pets VALUES ('nobody', 'rex', '')`, "pets.owner", false},
		"no_such_table":    {`INSERT INTO nothing VALUES (1)`, "nothing.id", false},
	} {
		t.Run(name, func(t *testing.T) {
			err := tryExec(t, db, c.query)
			if err == nil {
				t.Fatal("no error")
			}
			if got := IsUnique(fmt.Errorf("insert: %w", err), c.columns); got != c.want {
				t.Errorf("IsUnique(%q, %q) is %v", err, c.columns, got)
			}
			if fault.From(err).Code != fault.Internal {
				t.Errorf("became the fault %v", fault.From(err))
			}
		})
	}
	if IsUnique(nil, "users.account") || IsUnique(errors.New("UNIQUE constraint failed: users.account (2067)"), "users.account") {
		t.Error("an error that is not SQLite's was taken for one")
	}
}

func TestAsFault(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	db := open(t, path)

	t.Run("locked", func(t *testing.T) {
		impatient, err := sql.Open("sqlite", dsn(path, "busy_timeout(0)"))
		if err != nil {
			t.Fatal(err)
		}
		defer impatient.Close()
		err = db.Write(t.Context(), func(*sql.Tx) error {
			_, err := impatient.ExecContext(t.Context(), `UPDATE counter SET n = 1`)
			return err
		})
		if !fault.Is(err, fault.Unavailable) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("no_file", func(t *testing.T) {
		nowhere, err := sql.Open("sqlite", dsn(filepath.Join(t.TempDir(), "missing", "x.db")))
		if err != nil {
			t.Fatal(err)
		}
		defer nowhere.Close()
		if err := db.AsFault(nowhere.PingContext(t.Context())); !fault.Is(err, fault.Unavailable) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("full", func(t *testing.T) {
		small, err := sql.Open("sqlite", dsn(path, "max_page_count(1)"))
		if err != nil {
			t.Fatal(err)
		}
		defer small.Close()
		_, err = small.ExecContext(t.Context(), `CREATE TABLE big AS SELECT zeroblob(1000000)`)
		if err := db.AsFault(err); !fault.Is(err, fault.Unavailable) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a_mistake_stays_one", func(t *testing.T) {
		_, err := db.read.ExecContext(t.Context(), `SELECT nonsense`)
		if got := db.AsFault(err); err == nil || got != err {
			t.Errorf("got %v", got)
		}
	})
	t.Run("a_fault_stays_as_it_is", func(t *testing.T) {
		f := fault.New(fault.NotFound, "no such room")
		if got := db.AsFault(f); got != error(f) {
			t.Errorf("got %v", got)
		}
	})
	if db.AsFault(nil) != nil {
		t.Error("nil became an error")
	}
}

// TestDB_damaged_while_it_is_open: what can't be read any more is no mistake of
// the caller's, and the log names the file.
func TestDB_damaged_while_it_is_open(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	db := open(t, path)
	mustExec(t, db, `CREATE TABLE big AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT i, hex(zeroblob(500)) AS t FROM n`)
	if err := db.Close(); err != nil { // all of it lies in the file itself
		t.Fatal(err)
	}
	db = open(t, path)
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	const half = 256 << 10
	_, err = file.WriteAt(bytes.Repeat([]byte("damaged "), int(info.Size()-half)/8), half)
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
	read := db.Query(t.Context(), `SELECT sum(length(t)) FROM big`, nil, func(*sql.Rows) error { return nil })
	write := tryExec(t, db, `UPDATE big SET i = i + 1`)
	for what, err := range map[string]error{"read": read, "write": write} {
		if !fault.Is(err, fault.Unavailable) || !errors.Is(err, probe.ErrDamaged) || fault.From(err).RetryAfter == 0 || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %v", what, err)
		}
		if strings.Contains(fault.From(err).Detail, path) {
			t.Errorf("%s: clients are told the file's name", what)
		}
	}
}
