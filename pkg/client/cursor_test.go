package client_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/client"
)

func TestCursors(t *testing.T) {
	for name, again := range map[string]func(t *testing.T) func() client.Cursors{
		"in memory": func(*testing.T) func() client.Cursors {
			kept := &client.MemoryCursors{}
			return func() client.Cursors { return kept }
		},
		"in a file": func(t *testing.T) func() client.Cursors {
			path := filepath.Join(t.TempDir(), "cursors.json")
			return func() client.Cursors { return client.NewFileCursors(path) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			g, cursors := newWorld().gateway(t), again(t)
			g.append("r", "1", "")
			g.append("r", "2", "")
			c := dial(t, client.Options{Cursors: cursors()}, g) // begins behind them
			g.each(push(g.append("r", "3", "")))
			g.each(push(g.append("r", "4", "")))
			follow(t, c, "r", 3, 4)
			if err := c.Close(); err != nil { // 4 is in hand
				t.Fatal(err)
			}
			g.append("r", "5", "")
			c = dial(t, client.Options{Cursors: cursors()}, g)
			follow(t, c, "r", 4, 5)
			done, cancel := context.WithCancel(t.Context())
			cancel()
			if _, err := c.Next(done); !errors.Is(err, context.Canceled) { // 5 has been handled
				t.Fatalf("got %v", err)
			}
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			c = dial(t, client.Options{Cursors: cursors()}, g)
			g.each(push(g.append("r", "6", "")))
			follow(t, c, "r", 6, 6)
		})
	}

	t.Run("where it began is kept too", func(t *testing.T) {
		g, cursors := newWorld().gateway(t), &client.MemoryCursors{}
		g.append("r", "1", "")
		c := dial(t, client.Options{Cursors: cursors}, g)
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		g.append("r", "2", "")
		follow(t, dial(t, client.Options{Cursors: cursors}, g), "r", 2, 2)
	})

	t.Run("what is not saved is saved later", func(t *testing.T) {
		g, cursors := newWorld().gateway(t), &fullDisk{}
		c := dial(t, client.Options{Cursors: cursors, FromFirst: true, SaveEvery: time.Millisecond}, g)
		g.each(push(g.append("r", "1", "")))
		g.each(push(g.append("r", "2", "")))
		follow(t, c, "r", 1, 2)
		eventually(t, "saving failed twice", func() bool { return cursors.failed() >= 2 })
		cursors.repair()
		eventually(t, "it is saved", func() bool {
			saved, _ := cursors.Load(t.Context())
			return saved["r"] == 1
		})
	})

	t.Run("a damaged file is no new beginning", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "cursors.json")
		if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := client.Dial(t.Context(), client.Options{
			Gateways: []string{"http://127.0.0.1"}, Tokens: &source{}, Cursors: client.NewFileCursors(path),
		}); err == nil {
			t.Fatal("dialled")
		}
	})
}

// fullDisk fails to save until it is repaired.
type fullDisk struct {
	client.MemoryCursors
	mu     sync.Mutex
	errors int
	works  bool
}

func (d *fullDisk) Save(ctx context.Context, changed map[string]int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.works {
		d.errors++
		return errors.New("no space left")
	}
	return d.MemoryCursors.Save(ctx, changed)
}

func (d *fullDisk) failed() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.errors
}

func (d *fullDisk) repair() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.works = true
}
