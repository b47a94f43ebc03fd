package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestProcfs(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"stat":    "7 (a) b (c)) S 1 7 7 0 -1 4194560 99 0 0 0 250 50 0 0 20 0 9 0 100 1000 200",
		"statm":   "1000 300 100 1 0 50 0",
		"cmdline": "/opt/bin/parley\x00-data\x00x\x00-only\x00gateway\x00",
	} {
		if err := os.MkdirAll(filepath.Join(dir, "7"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "7", name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	fs := procfs(dir)
	got, err := fs.read(7)
	if want := (usage{CPU: 3 * time.Second, Memory: 300 * int64(os.Getpagesize())}); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if name, err := fs.name(7); err != nil || name != "gateway" {
		t.Errorf("name %q, %v", name, err)
	}
	if _, err := fs.read(8); err == nil {
		t.Error("a process was read that does not run")
	}

	t.Run("this process", func(t *testing.T) {
		began := time.Now()
		for n := 0; ; n++ { // work until it shows
			u, err := procfs("/proc").read(os.Getpid())
			if err != nil {
				t.Fatal(err)
			}
			if u.CPU > 0 && u.Memory > 1<<20 {
				return
			}
			if time.Since(began) > 30*time.Second {
				t.Fatalf("used %+v after %d readings", u, n)
			}
		}
	})
}
