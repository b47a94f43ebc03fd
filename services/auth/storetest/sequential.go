package storetest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
	"github.com/parley-im/parley/pkg/revision"
	"github.com/parley-im/parley/services/auth"
)

// Sequential is what a store must do for one caller.
func Sequential(t *testing.T, open Open) {
	for name, test := range map[string]func(*testing.T, auth.Store){
		"Schema/is_whole_once_it_is_open":       wholeSchema,
		"User/is_found_by_id_account_and_email": findsUsers,
		"SaveUser/account_and_email_are_unique": uniqueUsers,
		"SaveUser/under_its_revision":           userRevisions,
		"EndingUsers":                           endingUsers,
		"InternationalUsers":                    internationalUsers,
		"Session/comes_back_as_it_was":          keepsSessions,
		"SaveSession/under_its_revision":        sessionRevisions,
		"OpenSessions_and_Ended":                endedSessions,
		"Ended/by_time_and_id_in_pages":         endedPages,
		"RemoveSessions":                        removesSessions,
		"Sessions/by_id_in_pages":               sessionPages,
		"Keys/one_a_generation":                 oneKeyEach,
		"Keys/forgotten_ones_stay_taken":        forgetsKeys,
		"Post":                                  posts,
		"Outbox":                                outbox,
		"User/every_field":                      wholeUsers,
		"Session/every_field":                   wholeSessions,
		"SealedKey/every_field":                 wholeKeys,
		"Event/every_field":                     wholeEvents,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func findsUsers(t *testing.T, s auth.Store) {
	u := user()
	saveUser(t, s, u)
	byAccount, err := s.UserByAccount(within(t), u.Account)
	if err != nil || byAccount == nil || *byAccount != u {
		t.Fatalf("got %+v, %v; want %+v", byAccount, err, u)
	}
	byEmail, err := s.UserByEmail(within(t), u.Email)
	if err != nil || byEmail == nil || *byEmail != u || loadUser(t, s, u.ID) != u {
		t.Fatalf("got %+v, %v; want %+v", byEmail, err, u)
	}
	none, err := s.User(within(t), id.New())
	if err != nil || none != nil {
		t.Fatalf("got %+v, %v for no user", none, err)
	}
	other := user()
	saveUser(t, s, other)
	list, err := s.Users(within(t), []string{other.ID, id.New(), u.ID})
	if err != nil || len(list) != 2 {
		t.Fatalf("got %d users, %v", len(list), err)
	}
	if list, err := s.Users(within(t), nil); err != nil || len(list) != 0 {
		t.Fatalf("got %d users of none, %v", len(list), err)
	}
}

func uniqueUsers(t *testing.T, s auth.Store) {
	u := user()
	saveUser(t, s, u)
	account, email := user(), user()
	account.Account, email.Email = u.Account, u.Email
	if err := s.SaveUser(within(t), account, event(t, account.ID)); !errors.Is(err, auth.ErrAccountTaken) {
		t.Fatalf("the same account: %v", err)
	}
	if err := s.SaveUser(within(t), email, event(t, email.ID)); !errors.Is(err, auth.ErrEmailTaken) {
		t.Fatalf("the same e-mail: %v", err)
	}
	if events := drain(t, s); len(events) != 0 {
		t.Fatalf("%d events of users who are not there", len(events))
	}
}

func userRevisions(t *testing.T, s auth.Store) {
	u := user()
	saveUser(t, s, u)
	next := u
	next.Nickname, next.Password, next.Epoch, next.Kept, next.EpochReason, next.Ending, next.Rev = "Bob", "new", 2, id.New(), "password", true, 2
	next.DisabledAt, next.ErasedAt = contract.NewTime(u.CreatedAt.Add(time.Minute)), contract.NewTime(u.CreatedAt.Add(time.Hour))
	next.ValidFrom = contract.NewTime(u.ValidFrom.Add(time.Second))
	saveUser(t, s, next, event(t, u.ID)...)
	if got := loadUser(t, s, u.ID); got != next {
		t.Fatalf("got %+v, want %+v", got, next)
	}
	drain(t, s)
	back := loadUser(t, s, u.ID)
	back.DisabledAt = contract.Time{}
	back.Rev++
	saveUser(t, s, back)
	if got := loadUser(t, s, u.ID); got != back {
		t.Fatalf("got %+v, want %+v", got, back)
	}
	if err := s.SaveUser(within(t), next, event(t, u.ID)); !errors.Is(err, revision.ErrConflict) {
		t.Fatalf("an old revision: %v", err)
	}
	if events := drain(t, s); len(events) != 0 {
		t.Fatalf("%d events of a write that was refused", len(events))
	}
}

func internationalUsers(t *testing.T, s auth.Store) {
	var want []string
	for _, local := range []string{"\u00e5sa", "ann", "\u738b", "a~b"} {
		u := user()
		u.Email = local + u.Email
		saveUser(t, s, u)
		if local[0] >= 0x80 {
			want = append(want, u.ID)
		}
	}
	slices.Sort(want)
	var got []string
	for after := ""; ; {
		page, err := s.InternationalUsers(within(t), after, 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		after = page[0].ID
		got = append(got, after)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
}

func endingUsers(t *testing.T, s auth.Store) {
	var want []string
	ending := map[string]auth.User{}
	for range 5 {
		u := user()
		u.Ending = true
		saveUser(t, s, u)
		want, ending[u.ID] = append(want, u.ID), u
	}
	saveUser(t, s, user())
	slices.Sort(want)
	list := func() (got []string) {
		t.Helper()
		for after := ""; ; after = got[len(got)-1] {
			page, err := s.EndingUsers(within(t), after, 2)
			if err != nil {
				t.Fatal(err)
			}
			for _, u := range page {
				if u != ending[u.ID] {
					t.Fatalf("got %+v, want %+v", u, ending[u.ID])
				}
				got = append(got, u.ID)
			}
			if len(page) < 2 {
				return got
			}
		}
	}
	if got := list(); !slices.Equal(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	u := ending[want[1]]
	u.Ending = false
	u.Rev++
	saveUser(t, s, u)
	if got := list(); !slices.Equal(got, slices.Delete(want, 1, 2)) {
		t.Fatalf("got %v", got)
	}
}

func keepsSessions(t *testing.T, s auth.Store) {
	v := session(id.New())
	saveSession(t, s, v)
	if got := loadSession(t, s, v.ID); got != v {
		t.Fatalf("got %+v, want %+v", got, v)
	}
	if err := s.SaveSession(within(t), v, nil); !errors.Is(err, revision.ErrConflict) {
		t.Fatalf("the same id again: %v", err)
	}
}

func sessionRevisions(t *testing.T, s auth.Store) {
	v := session(id.New())
	saveSession(t, s, v)
	next := v
	next.Previous, next.Current, next.Rev = v.Current, auth.Hash{3}, 2
	next.RotatedAt = contract.Time{}
	next.EndedAt, next.Reason = contract.NewTime(time.Now()), "logout"
	saveSession(t, s, next)
	if got := loadSession(t, s, v.ID); got != next {
		t.Fatalf("got %+v, want %+v", got, next)
	}
	if err := s.SaveSession(within(t), next, event(t, v.UserID)); !errors.Is(err, revision.ErrConflict) {
		t.Fatalf("an old revision: %v", err)
	}
	if events := drain(t, s); len(events) != 0 {
		t.Fatalf("%d events of a write that was refused", len(events))
	}
}

func endedSessions(t *testing.T, s auth.Store) {
	userID := id.New()
	open, ended, other := session(userID), session(userID), session(id.New())
	at := contract.NewTime(time.Now())
	ended.EndedAt = at
	saveSession(t, s, open)
	saveSession(t, s, ended)
	saveSession(t, s, other)
	list, err := s.OpenSessions(within(t), userID)
	if err != nil || len(list) != 1 || list[0] != open {
		t.Fatalf("got %s, %v; want %s", ids(list), err, open.ID)
	}
	if list, err = s.Ended(within(t), auth.EndedPlace{At: at}, 10); err != nil || len(list) != 1 || list[0] != ended {
		t.Fatalf("got %s, %v; want %s", ids(list), err, ended.ID)
	}
	for _, after := range []auth.EndedPlace{{At: contract.NewTime(at.Add(time.Millisecond))}, {At: at, ID: ended.ID}} {
		if list, err = s.Ended(within(t), after, 10); err != nil || len(list) != 0 {
			t.Fatalf("got %s, %v; want none", ids(list), err)
		}
	}
}

func endedPages(t *testing.T, s auth.Store) {
	at := contract.NewTime(time.Now())
	var want []string
	for i := range 7 {
		v := session(id.New())
		v.EndedAt = contract.NewTime(at.Add(time.Duration(i/3) * time.Second)) // some at the same time
		saveSession(t, s, v)
		want = append(want, v.ID)
	}
	saveSession(t, s, session(id.New()))
	slices.Sort(want[:3])
	slices.Sort(want[3:6])
	var got []string
	for after := (auth.EndedPlace{At: contract.FromMilli(0)}); ; {
		page, err := s.Ended(within(t), after, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range page {
			got = append(got, v.ID)
			after = auth.EndedPlace{At: v.EndedAt, ID: v.ID}
		}
		if len(page) < 2 {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
}

func removesSessions(t *testing.T, s auth.Store) {
	userID := id.New()
	now := contract.NewTime(time.Now())
	old := contract.NewTime(now.Add(-time.Hour))
	live, ended, unused := session(userID), session(userID), session(userID)
	ended.EndedAt, unused.LastUsedAt = old, old
	for _, v := range []auth.Session{live, ended, unused} {
		saveSession(t, s, v, event(t, userID)...)
	}
	drain(t, s)
	limit := contract.NewTime(now.Add(-time.Minute))
	for _, want := range []int{1, 1, 0} {
		if n, err := s.RemoveSessions(within(t), limit, limit, 1); err != nil || n != want {
			t.Fatalf("removed %d, %v; want %d", n, err, want)
		}
	}
	if list, err := s.OpenSessions(within(t), userID); err != nil || len(list) != 1 || list[0].ID != live.ID {
		t.Fatalf("left are %s, %v; want %s", ids(list), err, live.ID)
	}
	// An event outlives its session's removal, or else puts it off.
	ended = session(userID)
	ended.EndedAt = old
	saveSession(t, s, ended, event(t, userID)...)
	if _, err := s.RemoveSessions(within(t), limit, limit, 10); err != nil {
		t.Fatal(err)
	}
	if events := drain(t, s); len(events) != 1 {
		t.Fatalf("%d events are left of one", len(events))
	}
}

func sessionPages(t *testing.T, s auth.Store) {
	userID := id.New()
	var want []string
	for range 5 {
		v := session(userID)
		if len(want) == 2 {
			v.EndedAt = contract.NewTime(time.Now())
		}
		saveSession(t, s, v)
		want = append(want, v.ID)
	}
	saveSession(t, s, session(id.New()))
	slices.Sort(want)
	var got []string
	for after := ""; ; after = got[len(got)-1] {
		page, err := s.Sessions(within(t), userID, after, 2)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, v := range page {
			got = append(got, v.ID)
		}
	}
	if !slices.Equal(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
}

func outbox(t *testing.T, s auth.Store) {
	u := user()
	v := session(u.ID)
	first, second := event(t, u.ID), event(t, u.ID)
	saveUser(t, s, u, first...)
	saveSession(t, s, v, second...)
	events := drain(t, s)
	if len(events) != 2 {
		t.Fatalf("got %d events, want 2", len(events))
	}
	if events := drain(t, s); len(events) != 0 {
		t.Fatalf("%d events came again", len(events))
	}
	// A relayed event is no change of the user: the revision stays, too.
	got := loadUser(t, s, u.ID)
	if got != u {
		t.Fatalf("got %+v, want %+v", got, u)
	}
	if held, err := s.Lease(within(t), "me", time.Minute); err != nil || !held {
		t.Fatalf("held %v, %v", held, err)
	}
}

func wholeSchema(t *testing.T, s auth.Store) {
	state, err := s.Schema(within(t))
	if err != nil || state.Steps != state.Known || len(state.Missing) > 0 {
		t.Errorf("got %+v, %v", state, err)
	}
}
