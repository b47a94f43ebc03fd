package gateway

import (
	"fmt"
	"testing"
	"time"
)

func TestSetbacks(t *testing.T) {
	now := time.Unix(0, 0)
	s := newSetbacks(func() time.Time { return now })
	again := func() {}
	if s.pause() != 0 {
		t.Fatal("a pause while all is well")
	}
	told, longest := 0, time.Duration(0)
	for began := now; now.Sub(began) < 10*time.Minute; { // an outage
		told += s.failed(fmt.Sprint(now.UnixNano()), again)
		pause := s.pause()
		if pause < firstPause/2 || pause > lastPause {
			t.Fatalf("a pause of %v", pause)
		}
		longest = max(longest, pause)
		now = now.Add(pause)
	}
	if longest < lastPause/2 {
		t.Fatalf("the pause grew to %v", longest)
	}
	if failures := len(s.users); failures > 700 {
		t.Fatalf("%d tries in ten minutes", failures)
	} else if told > failures || told < failures-100 {
		t.Fatalf("the log was told of %d of %d failures", told, failures)
	}
	s.succeeded("ann")
	if s.pause() != 0 {
		t.Fatal("a pause after a success")
	}
	lines := 0
	for range 1000 { // the log hears at most once a minute
		if now = now.Add(time.Second); s.failed("ann", again) > 0 {
			lines++
		}
		s.succeeded("bob")
	}
	if lines < 16 || lines > 17 {
		t.Fatalf("%d lines in 1000 seconds", lines)
	}
	for userID := range s.users {
		s.gone(userID)
	}
	if len(s.users) != 0 {
		t.Fatal("remembers who has gone")
	}
}
