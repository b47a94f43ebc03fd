package embedded

import (
	"encoding/base64"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"testing"

	"github.com/parley-im/parley/pkg/contract"
)

func TestLoadSecrets(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "here")
	first := loadSecrets(t, dir)

	t.Run("has all of them, each its own", func(t *testing.T) {
		seen := map[string]bool{}
		for _, user := range natsUserNames() {
			seen[first.NATS[user]] = true
		}
		seen[first.Redis], seen[first.Cluster] = true, true
		if len(seen) != len(contract.NATSUsers())+2 || seen[""] {
			t.Errorf("secrets repeat or are missing")
		}
		key, err := base64.StdEncoding.DecodeString(first.KeyEncryption)
		if err != nil || len(key) != 32 {
			t.Errorf("key of %d bytes: %v", len(key), err)
		}
	})
	t.Run("keeps them", func(t *testing.T) {
		if second := loadSecrets(t, dir); !reflect.DeepEqual(first, second) {
			t.Error("the second start has other secrets")
		}
	})
	t.Run("differ between directories", func(t *testing.T) {
		if other := loadSecrets(t, t.TempDir()); other.Redis == first.Redis || other.KeyEncryption == first.KeyEncryption {
			t.Error("two directories share secrets")
		}
	})
	t.Run("are for their owner only", func(t *testing.T) {
		for path, want := range map[string]fs.FileMode{dir: 0o700, filepath.Join(dir, SecretsFile): 0o600} {
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode().Perm() != want {
				t.Errorf("%s has mode %v, want %v", path, info.Mode().Perm(), want)
			}
		}
	})
}

func TestLoadSecrets_Together(t *testing.T) {
	dir := t.TempDir()
	const starters = 16
	got := make([]Secrets, starters)
	errs := make([]error, starters)
	var wg sync.WaitGroup
	for i := range starters {
		wg.Go(func() { got[i], errs[i] = LoadSecrets(t.Context(), dir) })
	}
	wg.Wait()
	for i := range starters {
		if errs[i] != nil {
			t.Fatal(errs[i])
		}
		if !reflect.DeepEqual(got[i], got[0]) {
			t.Fatal("two of them have different secrets")
		}
	}
	left, err := filepath.Glob(filepath.Join(dir, SecretsFile+".*[0-9]"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestLoadSecrets_OlderFile(t *testing.T) {
	dir := t.TempDir()
	old := loadSecrets(t, dir)
	kept := Secrets{NATS: maps.Clone(old.NATS), Redis: old.Redis}
	delete(kept.NATS, string(contract.Chat))
	if err := writeSecrets(filepath.Join(dir, SecretsFile), kept); err != nil {
		t.Fatal(err)
	}
	filled := loadSecrets(t, dir)
	if filled.Redis != old.Redis || filled.NATS[string(contract.Auth)] != old.NATS[string(contract.Auth)] {
		t.Error("a secret that was there has changed")
	}
	if filled.KeyEncryption == "" || filled.Cluster == "" || filled.NATS[string(contract.Chat)] == "" {
		t.Error("a missing secret was not made")
	}
	if again := loadSecrets(t, dir); !reflect.DeepEqual(again, filled) {
		t.Error("what was made is not kept")
	}
}

func TestLoadSecrets_Damaged(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, SecretsFile)
	if err := os.WriteFile(path, []byte(`{"nats":`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadSecrets(t.Context(), dir); err == nil {
		t.Fatal("a damaged file was accepted")
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != `{"nats":` {
		t.Errorf("a damaged file was replaced: %q, %v", data, err)
	}
}

func loadSecrets(t *testing.T, dir string) Secrets {
	t.Helper()
	s, err := LoadSecrets(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
