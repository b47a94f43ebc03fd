package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/parley-im/parley/pkg/revision"
)

func TestQuery_takes_a_list_as_one_parameter(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "x.db"))
	for _, want := range [][]string{nil, {"a"}, {"a", `quote " and '`, "好"}} {
		var got []string
		err := db.Query(t.Context(), `SELECT value FROM json_each(?)`, []any{List(want)}, func(rows *sql.Rows) error {
			var v string
			err := rows.Scan(&v)
			got = append(got, v)
			return err
		})
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("got %q, %v, want %q", got, err, want)
		}
	}
	enough := errors.New("enough")
	if err := db.Query(t.Context(), `SELECT 1`, nil, func(*sql.Rows) error { return enough }); !errors.Is(err, enough) {
		t.Fatalf("got %v", err)
	}
}

func TestOneRow_is_a_conflict_when_nothing_was_touched(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "x.db"))
	update := func(id string) error {
		return db.Write(t.Context(), func(tx *sql.Tx) error {
			return OneRow(tx.ExecContext(t.Context(), `UPDATE users SET age = 7 WHERE id = ?`, id))
		})
	}
	if err := update("u1"); !errors.Is(err, revision.ErrConflict) {
		t.Fatalf("nobody is there: %v", err)
	}
	if err := db.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(t.Context(), `INSERT INTO users (id, account) VALUES ('u1', 'ann')`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := update("u1"); err != nil {
		t.Fatal(err)
	}
	if err := OneRow(nil, sql.ErrConnDone); !errors.Is(err, sql.ErrConnDone) {
		t.Fatalf("got %v", err)
	}
}

// Readers share statements: each text is prepared once, whoever came first, and
// what is written later is seen by all.
func TestRows_keeps_its_statements(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "x.db"))
	count := func() (n int) {
		err := db.Query(t.Context(), `SELECT count(*) FROM users WHERE account > ?`, []any{""}, func(rows *sql.Rows) error { return rows.Scan(&n) })
		if err != nil {
			t.Error(err)
		}
		return n
	}
	for want := range 3 {
		var readers sync.WaitGroup
		for range 20 {
			readers.Go(func() {
				if n := count(); n != want {
					t.Errorf("%d rows, want %d", n, want)
				}
			})
		}
		readers.Wait()
		mustExec(t, db, fmt.Sprintf(`INSERT INTO users VALUES ('u%d', 'a%d', 1)`, want, want))
	}
	if kept := len(db.reads); kept != 1 {
		t.Errorf("%d statements are kept, want 1", kept)
	}
	left, cancel := context.WithCancel(t.Context())
	cancel()
	if err := db.Query(left, `SELECT count(*) FROM users WHERE account > ?`, []any{""}, func(*sql.Rows) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("after its caller has left: %v", err)
	}
	if n := count(); n != 3 {
		t.Errorf("afterwards %d rows", n)
	}
}
