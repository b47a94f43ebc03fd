package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/fault"
)

func TestDB_Write(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "x.db"))
	set := func(ctx context.Context, tx *sql.Tx, n int) error {
		_, err := tx.ExecContext(ctx, `UPDATE counter SET n = ?`, n)
		return err
	}
	unchanged := func(t *testing.T) {
		t.Helper()
		if n := queryInt(t, db, `SELECT n FROM counter`); n != 1 {
			t.Errorf("counter is %d, want 1: the write was not undone", n)
		}
		mustExec(t, db, `UPDATE counter SET n = 1`) // the connection still works
	}
	mustExec(t, db, `UPDATE counter SET n = 1`)

	t.Run("error_undoes_and_comes_back_as_it_is", func(t *testing.T) {
		mine := errors.New("mine")
		err := db.Write(t.Context(), func(tx *sql.Tx) error {
			return errors.Join(set(t.Context(), tx, 2), mine)
		})
		if !errors.Is(err, mine) {
			t.Errorf("got %v", err)
		}
		unchanged(t)
	})
	t.Run("panic_undoes", func(t *testing.T) {
		func() {
			defer func() { _ = recover() }()
			_ = db.Write(t.Context(), func(tx *sql.Tx) error {
				_ = set(t.Context(), tx, 2)
				panic("no")
			})
		}()
		unchanged(t)
	})
	t.Run("cancelled_before", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := db.Write(ctx, func(tx *sql.Tx) error { t.Error("f ran"); return nil })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		unchanged(t)
	})
	t.Run("cancelled_between_statements", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		err := db.Write(ctx, func(tx *sql.Tx) error {
			if err := set(ctx, tx, 2); err != nil {
				t.Error(err)
			}
			cancel()
			return set(context.WithoutCancel(ctx), tx, 3)
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		unchanged(t)
	})
	t.Run("cancelled_within_a_statement", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		err := db.Write(ctx, func(tx *sql.Tx) error {
			if err := set(ctx, tx, 2); err != nil {
				return err
			}
			_, err := tx.ExecContext(ctx, `WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c`)
			return err
		})
		if !fault.Is(fault.From(err), fault.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		unchanged(t)
	})
	t.Run("cancelled_in_the_queue", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		err := db.Write(t.Context(), func(*sql.Tx) error {
			return db.Write(ctx, func(*sql.Tx) error { t.Error("two writes at once"); return nil })
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		unchanged(t)
	})
}

func TestDB_Write_other_process_holds_the_lock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	a, b := open(t, path), open(t, path)

	held, release := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { // ends when release is closed
		err := a.Write(t.Context(), func(*sql.Tx) error { close(held); <-release; return nil })
		if err != nil {
			t.Error(err)
		}
	})
	<-held

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := b.Write(ctx, func(*sql.Tx) error { t.Error("wrote through a lock"); return nil })
	if !fault.From(err).Code.Temporary() {
		t.Errorf("got %v, want a temporary fault", err)
	}
	if n := queryInt(t, b, `SELECT n FROM counter`); n != 0 {
		t.Errorf("read %d beside the writer, want 0", n)
	}
	done := make(chan error, 1)
	go func() { // ends once a lets go
		done <- b.Write(t.Context(), func(*sql.Tx) error { return nil })
	}()
	close(release)
	if err := <-done; err != nil {
		t.Errorf("after the lock was free: %v", err)
	}
	wg.Wait()
}

// increment adds 1 to the counter times over, by reading and writing it.
func increment(ctx context.Context, db *DB, times int) error {
	for range times {
		err := db.Write(ctx, func(tx *sql.Tx) error {
			var n int
			if err := tx.QueryRowContext(ctx, `SELECT n FROM counter`).Scan(&n); err != nil {
				return err
			}
			_, err := tx.ExecContext(ctx, `UPDATE counter SET n = ?`, n+1)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func TestDB_Write_two_on_one_file(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	const writers, times = 4, 25
	var wg sync.WaitGroup
	for _, db := range []*DB{open(t, path), open(t, path)} {
		for range writers {
			wg.Go(func() {
				if err := increment(t.Context(), db, times); err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	if n := queryInt(t, open(t, path), `SELECT n FROM counter`); n != 2*writers*times {
		t.Errorf("counter is %d, want %d", n, 2*writers*times)
	}
}

// otherProcess names the file that this test binary, run again as another
// process, is to write.
const otherProcess = "PARLEY_TEST_SQLITE_FILE"

func TestDB_Write_two_processes(t *testing.T) {
	const times = 100
	if path := os.Getenv(otherProcess); path != "" {
		if err := increment(t.Context(), open(t, path), times); err != nil {
			t.Fatal(err)
		}
		return
	}
	path := filepath.Join(t.TempDir(), "x.db")
	var wg sync.WaitGroup
	for i := range 2 {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestDB_Write_two_processes$")
		cmd.Env = append(os.Environ(), otherProcess+"="+path)
		wg.Go(func() { // both open, and at first make, the file at the same time
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Error("process "+strconv.Itoa(i), err, string(out))
			}
		})
	}
	wg.Wait()
	if n := queryInt(t, open(t, path), `SELECT n FROM counter`); n != 2*times {
		t.Errorf("counter is %d, want %d", n, 2*times)
	}
}
