package auth

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/clock"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
)

// newKeyring returns the keys of a replica on a store that has a clock, with the
// clock of its machine ahead of that by ahead.
func newKeyring(t *testing.T, file Store, ahead time.Duration) *keyring {
	t.Helper()
	own := func() time.Time { return time.Now().Add(ahead) }
	shared := clock.New(clocked{Store: file}, own)
	return &keyring{
		store: file, secret: Secret(strings.Repeat("k", minSecret)), now: own, trusted: shared.Trusted, log: slog.New(slog.DiscardHandler),
		o: keyOptions{reload: time.Minute, rotation: 24 * time.Hour, accessTTL: 15 * time.Minute},
	}
}

func newFile(t *testing.T) Store {
	t.Helper()
	file, err := OpenStore(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "auth.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	return file
}

// keep stores a key that signs from a time on, a while from now.
func keep(t *testing.T, k *keyring, generation int64, from time.Duration) {
	t.Helper()
	if added, err := k.add(t.Context(), generation, contract.NewTime(time.Now().Add(from))); err != nil || !added {
		t.Fatal(added, err)
	}
}

func generations(t *testing.T, s Store) (list []int64) {
	t.Helper()
	keys, err := s.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		list = append(list, k.Generation)
	}
	return list
}

// TestKeys_round_by_the_trusted_time: a replica whose clock is wrong neither
// makes keys nor forgets those that sign.
func TestKeys_round_by_the_trusted_time(t *testing.T) {
	const year = 365 * 24 * time.Hour
	for name, c := range map[string]struct {
		ahead time.Duration
		from  []time.Duration // of the keys there are
		want  string
	}{
		"ahead of the next key":     {year, []time.Duration{-time.Hour, time.Minute}, "[1 2]"},
		"ahead":                     {year, []time.Duration{-time.Hour}, "[1]"},
		"behind":                    {-year, []time.Duration{-23*time.Hour - 59*time.Minute}, "[1]"},
		"right":                     {0, []time.Duration{-25 * time.Hour, -time.Hour}, "[2]"},
		"right and due":             {0, []time.Duration{-23*time.Hour - 59*time.Minute}, "[1 2]"},
		"a key of next year":        {0, []time.Duration{-time.Hour, year}, "[1 2]"},
		"a key of next year is due": {0, []time.Duration{-25 * time.Hour, year}, "[1 2 3]"},
		"only a key of next year":   {0, []time.Duration{year}, "[1 2]"},
		"a key that is to come":     {0, []time.Duration{-25 * time.Hour, time.Minute}, "[1 2]"},
	} {
		t.Run(name, func(t *testing.T) {
			file := newFile(t)
			k := newKeyring(t, file, c.ahead)
			for i, from := range c.from {
				keep(t, k, int64(i+1), from)
			}
			if err := k.round(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(generations(t, file)); got != c.want {
				t.Errorf("keys %s, want %s", got, c.want)
			}
		})
	}
}

// TestKeys_round_makes_no_more_than_verifiers_read, however many were made.
func TestKeys_round_makes_no_more_than_verifiers_read(t *testing.T) {
	file := newFile(t)
	k := newKeyring(t, file, 0)
	k.o.accessTTL = 24 * time.Hour
	for i := range maxKeys {
		keep(t, k, int64(i+1), -24*time.Hour)
	}
	if err := k.round(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := len(generations(t, file)); got != maxKeys {
		t.Errorf("there are %d keys, want %d", got, maxKeys)
	}
}

// TestKeys_Rotate_refuses_a_wrong_clock, by which the key before would retire at
// another time.
func TestKeys_Rotate_refuses_a_wrong_clock(t *testing.T) {
	file := newFile(t)
	k := newKeyring(t, file, -365*24*time.Hour)
	keep(t, k, 1, -time.Hour)
	if _, err := k.Rotate(t.Context(), contract.Act{By: "root"}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v", err)
	}
	if got := generations(t, file); len(got) != 1 {
		t.Errorf("keys %v", got)
	}
}

// TestSession_rotate_after_a_clock_was_ahead: the token before may be used again
// once its answer was lost, and then for no longer than always.
func TestSession_rotate_after_a_clock_was_ahead(t *testing.T) {
	now := time.Now()
	v := Session{Current: hashPart("second"), Previous: hashPart("first"), RotatedAt: contract.NewTime(now.Add(365 * 24 * time.Hour))}
	if !v.rotate("first", "third", now, true) {
		t.Fatal("refused at once")
	}
	if v.rotate("first", "fourth", now.Add(replayWindow+time.Second), true) {
		t.Error("the token before counts for as long as the clock was ahead")
	}
}

// TestSession_rotate_by_a_clock_that_has_jumped: the answer is lost, and the token
// is spent again where the clock is right.
func TestSession_rotate_by_a_clock_that_has_jumped(t *testing.T) {
	for name, jump := range map[string]time.Duration{"behind": -3 * time.Hour, "ahead": 20 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			now := time.Now()
			v := Session{Current: hashPart("first"), RotatedAt: contract.NewTime(now), LastUsedAt: contract.NewTime(now)}
			if !v.rotate("first", "second", now.Add(jump), false) {
				t.Fatal("refused")
			}
			if v.LastUsedAt.Before(contract.NewTime(now).Time) {
				t.Errorf("last used %v ago", now.Sub(v.LastUsedAt.Time))
			}
			for _, next := range []string{"third", "fourth"} {
				if !v.rotate("first", next, now.Add(time.Second), true) {
					t.Fatalf("refused for %s", next)
				}
			}
			if !v.LastUsedAt.Equal(contract.NewTime(now.Add(time.Second)).Time) {
				t.Errorf("last used at %v, not %v", v.LastUsedAt, now)
			}
			if v.rotate("first", "fifth", now.Add(replayWindow+2*time.Second), true) {
				t.Error("the token before counts for ever")
			}
		})
	}
}

// TestSessions_a_wrong_clock_logs_nobody_out: it cannot tell that a token is used
// again too late, nor that a session was unused for too long.
func TestSessions_a_wrong_clock_logs_nobody_out(t *testing.T) {
	const ttl = 30 * 24 * time.Hour
	for name, c := range map[string]struct {
		ahead time.Duration
		spend string
	}{
		"too late": {time.Hour, "previous"},
		"unused":   {2 * ttl, "current"},
	} {
		t.Run(name, func(t *testing.T) {
			file := newFile(t)
			k := newKeyring(t, file, c.ahead)
			s := &sessions{store: file, keys: k, accessTTL: 15 * time.Minute, ttl: ttl, out: &pushes{}, now: k.now, trusted: k.trusted, log: k.log,
				stamp: func() (time.Time, bool) { return k.now(), true }}
			user := User{ID: "u", Account: "ann", Email: "ann@example.org", Epoch: 1, Rev: 1}
			at := contract.NewTime(time.Now())
			family, parts := newPart(), map[string]string{"previous": newPart(), "current": newPart()}
			session := Session{
				ID: "s", UserID: "u", Epoch: 1, Family: hashPart(family), Current: hashPart(parts["current"]), Previous: hashPart(parts["previous"]),
				RotatedAt: at, CreatedAt: at, LastUsedAt: at, Rev: 1,
			}
			if err := file.SaveUser(t.Context(), user, nil); err != nil {
				t.Fatal(err)
			}
			if err := file.SaveSession(t.Context(), session, nil); err != nil {
				t.Fatal(err)
			}
			_, err := s.Refresh(t.Context(), refreshToken{SessionID: "s", Family: family, Rotating: parts[c.spend]}.String(), contract.Time{})
			if !fault.Is(err, fault.Unavailable) {
				t.Errorf("got %v", err)
			}
			if left, err := file.Session(t.Context(), "s"); err != nil || !left.EndedAt.IsZero() {
				t.Errorf("it ended at %v; %v", left.EndedAt, err)
			}
		})
	}
}
