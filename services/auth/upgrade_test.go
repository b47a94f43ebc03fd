package auth_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/services/auth"
)

// What a program of before schemas had versions asks of SQLite.
const (
	oldInsert = `INSERT INTO users
		(id, account, email, password, nickname, sex, avatar_url, created_at, epoch, valid_from, kept, ending, rev)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	oldUpdate = `UPDATE users SET account = ?, email = ?, password = ?, nickname = ?, sex = ?, avatar_url = ?,
		epoch = ?, valid_from = ?, kept = ?, ending = ?, rev = ? WHERE id = ? AND rev = ?`
	oldKey = `INSERT INTO signing_keys (name, id, sealed, created_at) VALUES ('current', ?, ?, ?)`
)

// oldFile is a database as such a program left it, empty but for the tables.
func oldFile(t *testing.T) (url string, db *sql.DB) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "auth.db")
	db, err := sql.Open("sqlite", path) // the driver of pkg/sqlite
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	schema, err := os.ReadFile(filepath.Join("testdata", "before_steps.sql"))
	if err != nil {
		t.Fatal(err)
	}
	exec(t, db, string(schema))
	return "sqlite:" + path, db
}

func exec(t *testing.T, db *sql.DB, query string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatal(err)
	}
}

// TestUpgrade of a database of before: its key goes on, and the successor is
// due only when a whole period has passed.
func TestUpgrade(t *testing.T) {
	w := newWorld(t, func(c *auth.Config) { c.KeyRotation, c.KeyReload = 24*time.Hour, 20*time.Millisecond })
	stop := w.start()
	ann := w.register("ann")
	stop()
	user := loaded(t, w.store(), ann.User.ID)
	keys, err := w.store().Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	url, old := oldFile(t)
	month := time.Now().Add(-30 * 24 * time.Hour).UnixMilli()
	exec(t, old, oldInsert, user.ID, user.Account, user.Email, user.Password, user.Nickname, 0, "", month, 1, month, "", false, 1)
	exec(t, old, oldKey, keys[0].ID, keys[0].Sealed, month)
	w.cfg.Store = url
	w.start()
	w.start()
	again := w.login("ann", password)
	if w.kid(again) != keys[0].ID {
		t.Fatal("another key signs")
	}
	list, err := w.store().Keys(t.Context())
	if err != nil || len(list) != 1 || time.Since(list[0].SignsFrom.Time) > time.Hour || list[0].CreatedAt.UnixMilli() != month {
		t.Fatalf("got %+v, %v", list, err)
	}

	// A program of before goes on beside it, and changes nothing that it does
	// not know.
	must(w, contract.DisableUser, about(ann.User.ID))
	disabled := loaded(t, w.store(), ann.User.ID)
	exec(t, old, oldUpdate, user.Account, user.Email, user.Password, "Ann", 0, "", disabled.Epoch, disabled.ValidFrom.UnixMilli(), "", false,
		disabled.Rev+1, user.ID, disabled.Rev)
	got := loaded(t, w.store(), ann.User.ID)
	if got.Nickname != "Ann" || got.DisabledAt != disabled.DisabledAt || got.EpochReason != "disabled" {
		t.Fatalf("got %+v", got)
	}
	exec(t, old, oldInsert, "bob", "bob", "bob@example.org", "", "Bob", 0, "", month, 1, month, "", false, 1)
	if got := loaded(t, w.store(), "bob"); !got.DisabledAt.IsZero() || got.Rev != 1 {
		t.Fatalf("got %+v", got)
	}
}

// TestUpgrade_old_makes_the_key: of a program of before that starts first on a
// new database.
func TestUpgrade_old_makes_the_key(t *testing.T) {
	url := newFile(t)
	store := openStore(t, url)
	old, err := sql.Open("sqlite", strings.TrimPrefix(url, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	exec(t, old, oldKey, "k", []byte{1}, 1000)
	keys, err := store.Keys(t.Context())
	if err != nil || len(keys) != 1 || keys[0].Generation != 1 || keys[0].SignsFrom != keys[0].CreatedAt {
		t.Fatalf("got %+v, %v", keys, err)
	}
}

func loaded(t *testing.T, s auth.Store, userID string) auth.User {
	t.Helper()
	user, err := s.User(t.Context(), userID)
	if err != nil || user == nil {
		t.Fatalf("got %v, %v", user, err)
	}
	return *user
}
