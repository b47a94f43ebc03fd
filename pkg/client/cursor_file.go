package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"sync"
)

// FileCursors keep cursors in a file, {"<room id>": seq, …}. One process at a
// time may use it.
type FileCursors struct {
	path string

	mu     sync.Mutex
	byRoom map[string]int64
}

// NewFileCursors keeps cursors at path, which is made when the first is saved.
func NewFileCursors(path string) *FileCursors { return &FileCursors{path: path} }

// Load implements [Cursors]. A file that can't be read is an error rather than
// a new beginning.
func (f *FileCursors) Load(context.Context) (map[string]int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	byRoom := map[string]int64{}
	data, err := os.ReadFile(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("read cursors: %w", err)
	default:
		if err := json.Unmarshal(data, &byRoom); err != nil {
			return nil, fmt.Errorf("read cursors from %s: %w", f.path, err)
		}
	}
	f.byRoom = byRoom
	return maps.Clone(byRoom), nil
}

// Save implements [Cursors]. The file is replaced as a whole, so that a crash
// leaves the one before.
func (f *FileCursors) Save(_ context.Context, changed map[string]int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.byRoom == nil {
		f.byRoom = map[string]int64{}
	}
	maps.Copy(f.byRoom, changed)
	data, err := json.Marshal(f.byRoom)
	if err != nil {
		return fmt.Errorf("encode cursors: %w", err)
	}
	if err := replaceFile(f.path, append(data, '\n')); err != nil {
		return fmt.Errorf("write cursors: %w", err)
	}
	return nil
}

func replaceFile(path string, data []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // nothing to remove once renamed
	_, err = file.Write(data)
	if err == nil {
		err = file.Sync()
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}
