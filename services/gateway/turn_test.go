package gateway

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

func TestTurn(t *testing.T) {
	users := make([]string, 10_000)
	for i := range users {
		users[i] = fmt.Sprint(i)
	}
	now := time.Unix(0, 0)
	// pass lets time pass in small steps and counts who was due.
	pass := func(turn *turn, d time.Duration) map[string]int {
		due := map[string]int{}
		for end := now.Add(d); now.Before(end); now = now.Add(5 * time.Millisecond) {
			for {
				userID, wait := turn.due(now)
				if userID == "" {
					if wait <= 0 {
						t.Fatalf("nobody is due, for %v", wait)
					}
					break
				}
				due[userID]++
			}
		}
		return due
	}
	t.Run("everyone once, evenly", func(t *testing.T) {
		turn := newTurn(time.Minute, func() []string { return slices.Clone(users) })
		all := map[string]int{}
		for second := range 120 {
			due := pass(turn, time.Second)
			if len(due) < 160 || len(due) > 170 {
				t.Fatalf("%d are due in second %d", len(due), second)
			}
			for userID, n := range due {
				all[userID] += n
			}
		}
		for _, userID := range users {
			if all[userID] != 2 {
				t.Fatalf("%s was due %d times in two turns", userID, all[userID])
			}
		}
	})
	t.Run("a stall is no wave", func(t *testing.T) {
		turn := newTurn(time.Minute, func() []string { return slices.Clone(users) })
		pass(turn, time.Second)
		now = now.Add(10 * time.Minute)
		if due := pass(turn, time.Second); len(due) > 340 {
			t.Fatalf("%d are due in a second", len(due))
		}
	})
	t.Run("nobody, then somebody", func(t *testing.T) {
		var here []string
		turn := newTurn(time.Minute, func() []string { return slices.Clone(here) })
		pass(turn, time.Minute)
		here = []string{"ann"}
		if due := pass(turn, 10*time.Minute); due["ann"] != 10 {
			t.Fatalf("due %v", due)
		}
	})
}
