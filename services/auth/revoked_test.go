package auth_test

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/services/auth"
)

// file is the database of the world's store, for tests that fill it.
func (w *world) file() *sql.DB {
	w.t.Helper()
	db, err := sql.Open("sqlite", strings.TrimPrefix(w.cfg.Store, "sqlite:")+"?_pragma=busy_timeout(10000)") // the driver of pkg/sqlite
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if err := db.Close(); err != nil {
			w.t.Error(err)
		}
	})
	return db
}

// manySessions writes n sessions; of each number they have a user, and ended,
// if at all, so many milliseconds before the time.
const manySessions = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
	INSERT INTO sessions (id, user_id, device_name, epoch, family, current, previous, rotated_at, created_at, last_used_at, ended_at, reason, rev)
	SELECT printf('%s%022d', ?2, i), printf('u%06d', i / ?3), 'phone', 1, x'01', x'02', x'', ?4, ?4, ?4, iif(?5, ?4 - i * 600000 / ?1, 0), '', 1 FROM n`

// TestListRevoked_ten_times_a_message: the whole list would have over 10 MiB,
// and a message of NATS has one at most.
func TestListRevoked_ten_times_a_message(t *testing.T) {
	w := newWorld(t)
	w.start()
	const many, unmarked, each = 140_000, 14_000, 20
	now := time.Now().UnixMilli()
	db := w.file()
	exec(t, db, manySessions, many, "m", many, now, true)
	exec(t, db, manySessions, unmarked, "k", each, now, false)
	// Their users have begun a new epoch, and the replica that did has died.
	exec(t, db, `INSERT INTO users (id, account, email, password, nickname, sex, avatar_url, created_at, epoch, valid_from, kept, ending, rev)
		SELECT DISTINCT user_id, user_id, user_id, '', '', 0, '', ?1, 2, ?1, '', 1, 1 FROM sessions WHERE ended_at = 0`, now)

	all, next, pages := w.readRevoked("")
	if len(all) != many+unmarked {
		t.Fatalf("%d are listed, want %d", len(all), many+unmarked)
	}
	if most := (many+unmarked)/2000 + 10; pages > most {
		t.Errorf("they take %d pages, want at most %d", pages, most)
	}
	ann := w.register("ann")
	must(w, contract.Logout, contract.LogoutRequest{Caller: caller(ann)})
	fresh, _, _ := w.readRevoked(next)
	if _, listed := fresh[caller(ann).SessionID]; !listed {
		t.Error("a new one is not listed")
	}
	if most := many/2 + unmarked; len(fresh) > most { // of ten minutes the last three, and the unmarked
		t.Errorf("%d are listed again, want at most %d", len(fresh), most)
	}
}

func TestListRevoked_cursor(t *testing.T) {
	w := newWorld(t)
	w.start()
	end := func(account string) string {
		t.Helper()
		g := w.register(account)
		must(w, contract.Logout, contract.LogoutRequest{Caller: caller(g)})
		return caller(g).SessionID
	}
	first := end("ann")
	w.pass(4 * time.Minute)
	_, cursor, _ := w.readRevoked("")
	w.pass(4 * time.Minute)
	second := end("bob")
	t.Run("only what is new", func(t *testing.T) {
		all, _, _ := w.readRevoked(cursor)
		if _, again := all[first]; again || len(all) != 1 || all[second].IsZero() {
			t.Fatalf("got %v, want %s", all, second)
		}
	})
	t.Run("one that was stored late is new", func(t *testing.T) {
		_, next, _ := w.readRevoked(cursor)
		late := loadedSession(t, w.store(), end("cid"))
		late.EndedAt = contract.NewTime(w.clock.Now().Add(-2 * time.Minute))
		late.Rev++
		if err := w.store().SaveSession(t.Context(), late, nil); err != nil {
			t.Fatal(err)
		}
		if all, _, _ := w.readRevoked(next); all[late.ID].IsZero() {
			t.Fatalf("got %v, want %s", all, late.ID)
		}
	})
	t.Run("of a clock that was ahead", func(t *testing.T) {
		w.clock.forward(24 * time.Hour)
		_, ahead, _ := w.readRevoked(cursor)
		w.clock.forward(-24 * time.Hour)
		third := end("dan")
		if all, _, _ := w.readRevoked(ahead); all[third].IsZero() {
			t.Fatalf("got %v, want %s", all, third)
		}
	})
	for _, bad := range []string{"x", ".", "1.2", "1.marked.2", "1.other.2.", "1.marked.x.", "1.marked.2.*", "1.marked.2.a.b"} {
		fails(w, contract.ListRevoked, contract.RevokedRequest{Cursor: bad}, fault.InvalidArgument, "cursor")
	}
}

func loadedSession(t *testing.T, s auth.Store, sessionID string) auth.Session {
	t.Helper()
	session, err := s.Session(t.Context(), sessionID)
	if err != nil || session == nil {
		t.Fatalf("got %v, %v", session, err)
	}
	return *session
}
