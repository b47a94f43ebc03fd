package auth_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/filled"
	"github.com/parley-im/parley/pkg/id"
	"github.com/parley-im/parley/services/auth"
)

// export is all that auth keeps of a user, page by page.
func (w *world) export(userID string) []contract.ExportItem {
	w.t.Helper()
	var items []contract.ExportItem
	req := contract.ExportRequest{Act: act, UserID: userID}
	for {
		page := must(w, contract.ExportUser, req)
		items = append(items, page.Items...)
		if req.Cursor = page.NextCursor; req.Cursor == "" {
			return items
		}
	}
}

func TestExport(t *testing.T) {
	w := newWorld(t)
	w.start()
	ann := w.register("ann")
	events := w.events()
	ended := w.login("ann", password)
	must(w, contract.Logout, contract.LogoutRequest{Caller: caller(ended)})
	store := w.store()
	for range 400 { // more than two pages
		now := contract.NewTime(time.Now())
		if err := store.SaveSession(t.Context(), auth.Session{
			ID: id.New(), UserID: ann.User.ID, DeviceName: "phone", RotatedAt: now, CreatedAt: now, LastUsedAt: now, EndedAt: now, Reason: "revoked", Rev: 1,
		}, nil); err != nil {
			t.Fatal(err)
		}
	}
	items := w.export(ann.User.ID)
	if len(items) != 403 || items[0].Kind != "user" {
		t.Fatalf("got %d items, the first a %s", len(items), items[0].Kind)
	}
	var user contract.AdminUser
	if err := json.Unmarshal(items[0].Data, &user); err != nil || user.User != ann.User {
		t.Fatalf("got %s, %v", items[0].Data, err)
	}
	seen := map[string]bool{}
	for _, item := range items[1:] {
		var session struct {
			ID, Reason string
			EndedAt    *contract.Time `json:"ended_at"`
		}
		if err := json.Unmarshal(item.Data, &session); err != nil || item.Kind != "session" {
			t.Fatalf("got %+v, %v", item, err)
		}
		seen[session.ID] = true
		if session.ID == caller(ended).SessionID && (session.EndedAt == nil || session.Reason != "logout") {
			t.Fatalf("got %s", item.Data)
		}
	}
	if len(seen) != 402 || !seen[caller(ann).SessionID] || !seen[caller(ended).SessionID] {
		t.Fatalf("%d sessions", len(seen))
	}
	for _, item := range items {
		if s := string(item.Data); strings.Contains(s, "argon2") || strings.Contains(s, "family") {
			t.Fatalf("it has a secret: %s", s)
		}
	}
	want := contract.AuditEvent{By: act.By, Reason: act.Reason, Action: "export_user", UserID: ann.User.ID}
	for range 3 { // 402 sessions are three pages, and each of them is an event
		if got := events.audit(t); got != want {
			t.Fatalf("got %+v, want %+v", got, want)
		}
	}
	must(w, contract.ShowUser, contract.ShowUserRequest{Act: act, User: "ann"})
	if got := events.audit(t); got.Action != "show_user" {
		t.Fatalf("got %+v", got)
	}
	fails(w, contract.ExportUser, contract.ExportRequest{Act: act, UserID: id.New()}, fault.NotFound, "")
	fails(w, contract.ExportUser, contract.ExportRequest{Act: act, UserID: ann.User.ID, Cursor: "a.b"}, fault.InvalidArgument, "cursor")
	fails(w, contract.ExportUser, contract.ExportRequest{UserID: ann.User.ID}, fault.InvalidArgument, "act.by")
}

// TestErase: what they were called is nowhere, and free for others; the id
// stays, and nobody is it.
func TestErase(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.start()
	social := w.social()
	ann := w.register("annabella")
	store := w.store()
	fails(w, contract.EraseUser, about(ann.User.ID), fault.FailedPrecondition, "")
	fails(w, contract.EraseUser, about(id.New()), fault.NotFound, "")
	fails(w, contract.EraseUser, contract.AdminUserRequest{UserID: ann.User.ID}, fault.InvalidArgument, "act.by")
	for range 600 { // more than one call goes through
		now := contract.NewTime(time.Now())
		if err := store.SaveSession(t.Context(), auth.Session{
			ID: id.New(), UserID: ann.User.ID, DeviceName: "Annabella's phone", RotatedAt: now, CreatedAt: now, LastUsedAt: now, EndedAt: now, Rev: 1,
		}, nil); err != nil {
			t.Fatal(err)
		}
	}
	events := w.events()
	must(w, contract.DisableUser, about(ann.User.ID))
	if got := events.audit(t); got.Action != "disable_user" {
		t.Fatalf("got %+v", got)
	}
	var replies []contract.EraseReply
	for len(replies) == 0 || len(replies) < 5 && !replies[len(replies)-1].Done {
		replies = append(replies, must(w, contract.EraseUser, about(ann.User.ID)))
	}
	if want := []contract.EraseReply{{Erased: 501}, {Erased: 101, Done: true}}; len(replies) != 2 || replies[0] != want[0] || replies[1] != want[1] {
		t.Fatalf("got %+v, want %+v", replies, want)
	}
	if again := must(w, contract.EraseUser, about(ann.User.ID)); again != (contract.EraseReply{Done: true}) {
		t.Fatalf("got %+v", again)
	}
	want := contract.AuditEvent{By: act.By, Reason: act.Reason, Action: "erase_user", UserID: ann.User.ID}
	if got := events.audit(t); got != want {
		t.Fatalf("got %+v, want %+v", got, want)
	}
	if told := social.announced(); len(told) != 2 || told[1] != (contract.AnnounceUserRequest{UserID: ann.User.ID, Disabled: true}) {
		t.Fatalf("social was told %+v", told)
	}

	shown := must(w, contract.ShowUser, contract.ShowUserRequest{Act: act, User: ann.User.ID})
	if shown.ErasedAt == nil || shown.DisabledAt == nil || shown.User != (contract.User{ID: ann.User.ID, CreatedAt: ann.User.CreatedAt}) {
		t.Fatalf("got %+v", shown)
	}
	if got := events.audit(t); got.Action != "show_user" { // erased once
		t.Fatalf("got %+v", got)
	}
	for _, item := range w.export(ann.User.ID) {
		if strings.Contains(strings.ToLower(string(item.Data)), "annabella") {
			t.Fatalf("still there: %s", item.Data)
		}
	}
	fails(w, contract.EnableUser, about(ann.User.ID), fault.FailedPrecondition, "")
	fails(w, contract.FindUser, contract.FindUserRequest{Account: "annabella"}, fault.NotFound, "")
	for _, name := range []string{"annabella", "annabella@example.org", "~" + ann.User.ID} {
		fails(w, contract.Login, contract.LoginRequest{Account: name, Password: password}, fault.Unauthenticated, "")
	}
	w.refused(ann.RefreshToken)

	w.pass(time.Minute)
	if next := w.register("annabella"); next.User.ID == ann.User.ID {
		t.Fatal("they are back")
	}
	// A second one who is erased gets in nobody's way.
	bob := w.register("bob")
	must(w, contract.DisableUser, about(bob.User.ID))
	must(w, contract.EraseUser, about(bob.User.ID))
}

// TestErase_leaves_only_what_is_named erases a user of whom every field is set.
// A field that is added later is erased, or named here with why it may stay.
func TestErase_leaves_only_what_is_named(t *testing.T) {
	w := newWorld(t)
	w.start()
	store := w.store()
	user, session := filled.Of[auth.User](1), filled.Of[auth.Session](2)
	user.ID, user.Rev = id.New(), 1
	session.ID, session.UserID, session.Rev = id.New(), user.ID, 1
	user.ErasedAt = contract.Time{} // not yet
	if err := errors.Join(store.SaveUser(t.Context(), user, nil), store.SaveSession(t.Context(), session, nil)); err != nil {
		t.Fatal(err)
	}
	if reply := must(w, contract.EraseUser, about(user.ID)); !reply.Done {
		t.Fatalf("got %+v", reply)
	}

	erased, err := store.User(t.Context(), user.ID)
	if err != nil || erased == nil {
		t.Fatalf("got %v, %v", erased, err)
	}
	filled.Left(t, "a user", user, *erased,
		"ID", "CreatedAt", "DisabledAt", // others know the id; when they came and went
		"Epoch", "ValidFrom", "EpochReason", "Kept", "Ending", // by which their sessions stay ended
	)
	ended, err := store.Session(t.Context(), session.ID)
	if err != nil || ended == nil {
		t.Fatalf("got %v, %v", ended, err)
	}
	filled.Left(t, "a session", session, *ended,
		"ID", "UserID", "Epoch", "CreatedAt", "LastUsedAt", "EndedAt", "Reason", // gateways ask what has ended
		"Family", "Current", "Previous", "RotatedAt", // hashes of random tokens, until the session is forgotten
	)
}
