package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// used returns a data directory on which the program has been ready and was
// stopped.
func used(t *testing.T) string {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := serve(ctx, onlyStores(data), readyFunc(cancel), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// onlyStores runs the services that have stores, and what they need.
func onlyStores(data string) []string {
	free := "127.0.0.1:0"
	return []string{"-data", data, "-only", "nats,redis,auth,social,chat", "-ops-addr", free, "-nats-addr", free}
}

// readyFunc is called when the program says that it is ready.
type readyFunc func()

func (f readyFunc) Write(p []byte) (int, error) {
	if strings.HasPrefix(string(p), "ready") {
		f()
	}
	return len(p), nil
}

func TestServe_refuses_lost_data(t *testing.T) {
	data := used(t)
	for name, c := range map[string]struct {
		lose func(in string) error
		want []string
	}{
		"the secrets": {func(in string) error { return os.Remove(filepath.Join(in, "secrets.json")) },
			[]string{"secrets.json is missing", "chat.db", "restore secrets.json from a backup"}},
		"the secrets, emptied": {func(in string) error { return os.Truncate(filepath.Join(in, "secrets.json"), 0) },
			[]string{"secrets.json is damaged, restore it from a backup"}},
		"a store": {func(in string) error { return os.Remove(filepath.Join(in, "chat.db")) },
			[]string{"chat.db is missing, though it was in use", "restore it from a backup"}},
		"a store, emptied": {func(in string) error { return os.Truncate(filepath.Join(in, "social.db"), 0) },
			[]string{"social.db is empty, though it was in use"}},
		"a store, damaged": {func(in string) error {
			return os.WriteFile(filepath.Join(in, "auth.db"), []byte(strings.Repeat("no database ", 1000)), 0o600)
		}, []string{"auth.db is damaged, restore it from a backup"}},
	} {
		t.Run(name, func(t *testing.T) {
			in := filepath.Join(t.TempDir(), "moved") // a directory may be moved
			if err := os.CopyFS(in, os.DirFS(data)); err != nil {
				t.Fatal(err)
			}
			if err := c.lose(in); err != nil {
				t.Fatal(err)
			}
			before := listing(t, in)
			got := refused(t, onlyStores(in)...)
			for _, want := range c.want {
				if !strings.Contains(got, want) {
					t.Errorf("it says %q, want %q", got, want)
				}
			}
			if after := listing(t, in); strings.Contains(name, "secrets") && after != before {
				t.Errorf("it left %s, from %s", after, before)
			}
		})
	}
}

// listing names the files of a directory.
func listing(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".lock") {
			names = append(names, e.Name())
		}
	}
	return strings.Join(names, " ")
}
