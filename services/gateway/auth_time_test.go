package gateway

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/token"
)

func TestAuthTime(t *testing.T) {
	right := time.Now()
	for name, c := range map[string]struct {
		own     time.Duration // how far the machine's clock is ahead
		auth    time.Duration // and auth's
		trusted bool
		want    time.Duration
	}{
		"auth's counts":                           {20 * time.Hour, 0, true, 0},
		"also if it is later":                     {-20 * time.Hour, 0, true, 0},
		"nobody believes a clock that has jumped": {0, 20 * time.Hour, false, 0},
		"unless both have":                        {20 * time.Hour, 20 * time.Hour, false, 20 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAuthTime(func() time.Time { return right.Add(c.own) })
			if got := a.Now(); !got.Equal(right.Add(c.own)) {
				t.Errorf("before the first reading it is %v", got.Sub(right))
			}
			a.Set(right.Add(c.auth), c.trusted, time.Now())
			if got := a.Now().Sub(right.Add(c.want)); got < 0 || got > time.Minute {
				t.Errorf("it is off by %v", got)
			}
			if err := a.Check(t.Context()); (err != nil) != (c.own != c.want) {
				t.Errorf("the check says %v", err)
			}
		})
	}
}

// The clock of a gateway's machine is set while it runs.
func TestAuthentication_goes_by_the_time_of_auth(t *testing.T) {
	w := newWorld(t, nil)
	old, _, err := token.NewSigner(w.key, time.Minute, func() time.Time { return time.Now().Add(-time.Hour) }).Sign("ann", "s1")
	if err != nil {
		t.Fatal(err)
	}
	for _, ahead := range []time.Duration{0, 20 * time.Hour, -20 * time.Hour} {
		w.ahead.Store(int64(ahead))
		if got := w.get(t, "/api/v1/rooms/x/messages", old); got != http.StatusUnauthorized {
			t.Errorf("ahead by %v: an expired token is answered %d", ahead, got)
		}
		conn := w.dial(t, w.token(t, "ann", "s2"))
		within, cancel := context.WithTimeout(t.Context(), 2*sweepInterval)
		var err error
		for err == nil {
			_, _, err = conn.Read(within)
		}
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("ahead by %v: the connection ends: %v", ahead, err)
		}
		if skewed := w.check(t, "clock"); (skewed.Err != nil) != (ahead != 0) || !skewed.Informs {
			t.Errorf("ahead by %v: the check is %+v", ahead, skewed)
		}
	}
}
