package sqlite

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"
)

func TestBackup(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	db := open(t, path)
	mustExec(t, db, `UPDATE counter SET n = 7`)
	into := filepath.Join(t.TempDir(), "new", "it's a copy.db")
	err := db.Write(t.Context(), func(tx *sql.Tx) error { // while somebody writes
		if _, err := tx.ExecContext(t.Context(), `UPDATE counter SET n = 8`); err != nil {
			return err
		}
		return Backup(t.Context(), path, into)
	})
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(into)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the copy is %v, %v", info, err)
	}
	if n := queryInt(t, open(t, into), `SELECT n FROM counter`); n != 7 {
		t.Errorf("the copy has %d, want what was committed", n)
	}
	if n := queryInt(t, db, `SELECT n FROM counter`); n != 8 {
		t.Errorf("the store has %d", n)
	}

	if err := Backup(t.Context(), path, into); err == nil {
		t.Error("it wrote over a file")
	}
	nowhere := filepath.Join(t.TempDir(), "none.db")
	if err := Backup(t.Context(), nowhere, filepath.Join(t.TempDir(), "y.db")); err == nil {
		t.Error("it copied what is not there")
	}
	if _, err := os.Stat(nowhere); err == nil {
		t.Error("it made what it should have copied")
	}
	broken := filepath.Join(t.TempDir(), "broken.db")
	if err := os.WriteFile(broken, []byte("this is no database, however long one looks at it, and never was"), 0o600); err != nil {
		t.Fatal(err)
	}
	half := filepath.Join(t.TempDir(), "half.db")
	if err := Backup(t.Context(), broken, half); err == nil {
		t.Error("it copied a file that is no database")
	}
	if _, err := os.Stat(half); err == nil {
		t.Error("it left a half-written copy")
	}
}
