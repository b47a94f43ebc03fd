package sqlite

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// written returns the path of a store that has been used and closed.
func written(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.db")
	db, err := Open(t.Context(), path, testSchema)
	if err != nil {
		t.Fatal(err)
	}
	mustExec(t, db, `UPDATE counter SET n = 7`)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpen_refuses_lost_data_and_names_the_file(t *testing.T) {
	for name, c := range map[string]struct {
		lose func(path string) error
		says string
	}{
		"emptied": {func(path string) error { return os.Truncate(path, 0) }, "is empty"},
		"damaged": {func(path string) error {
			return os.WriteFile(path, []byte(strings.Repeat("no database ", 100)), 0o600)
		}, "is damaged"},
		"cut off": {func(path string) error { return os.Truncate(path, 4096) }, "is damaged"},
		"missing beside its log": {func(path string) error {
			if err := os.WriteFile(path+"-wal", []byte("changes"), 0o600); err != nil {
				return err
			}
			return os.Remove(path)
		}, "is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			path := written(t)
			if err := c.lose(path); err != nil {
				t.Fatal(err)
			}
			before, _ := os.ReadFile(path)
			db, err := Open(t.Context(), path, testSchema)
			if err == nil {
				db.Close()
				t.Fatal("opened")
			}
			if !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %q, want the file's name and %q", err, c.says)
			}
			if after, _ := os.ReadFile(path); string(after) != string(before) {
				t.Error("the file was changed")
			}
		})
	}
}

// A new file is a database at once: a process that dies before its first
// write leaves no empty file, which the next start would refuse.
func TestOpen_a_new_file_is_never_empty(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	if _, err := makeFile(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() == 0 || info.Mode().Perm() != 0o600 {
		t.Fatalf("got %v, %v", info, err)
	}
	open(t, path)
}
