package sqlite

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// nobody is a user who owns no file of the test.
const nobody = 65534

// asNobody runs f with the file permissions of another user, which bind where
// those of root would not.
func asNobody(t *testing.T, f func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		f()
		return
	}
	done := make(chan struct{})
	go func() { // ends with f; its thread ends with it, and nobody else gets it
		defer close(done)
		runtime.LockOSThread()
		if err := syscall.Setfsuid(nobody); err != nil {
			t.Errorf("change user: %v", err)
			return
		}
		f()
	}()
	<-done
}

func TestOpen_refuses_what_can_only_be_read(t *testing.T) {
	for name, modes := range map[string]struct{ dir, file os.FileMode }{
		"the file":      {0o777, 0o444},
		"the directory": {0o555, 0o666},
		"both":          {0o555, 0o444},
	} {
		t.Run(name, func(t *testing.T) {
			path := written(t)
			for at, mode := range map[string]os.FileMode{path: modes.file, filepath.Dir(path): modes.dir, filepath.Dir(filepath.Dir(path)): 0o755} {
				if err := os.Chmod(at, mode); err != nil {
					t.Fatal(err)
				}
			}
			t.Cleanup(func() { _ = os.Chmod(filepath.Dir(path), 0o700) })
			asNobody(t, func() {
				db, err := Open(t.Context(), path, testSchema)
				if err == nil {
					db.Close()
					t.Error("opened what can't be written")
					return
				}
				if !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "can't be written") {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}
