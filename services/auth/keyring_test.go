package auth_test

import (
	"slices"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/token"
	"github.com/parley-im/parley/services/auth"
)

// quick has the replicas read the keys again all the time, and make a new one
// a day.
func quick(c *auth.Config) { c.KeyReload, c.KeyRotation = 20*time.Millisecond, 24*time.Hour }

// gateway verifies tokens as a gateway does, with keys from any replica.
type gateway struct {
	w *world
	v *token.Verifier
}

func (w *world) gateway() *gateway {
	g := &gateway{w: w, v: token.NewVerifier(w.clock.Now)}
	g.read()
	return g
}

func (g *gateway) read() []string {
	g.w.t.Helper()
	set := must(g.w, contract.GetKeys, contract.Empty{})
	if err := g.v.SetKeys(set.JWKS); err != nil {
		g.w.t.Fatal(err)
	}
	var kids []string
	for _, key := range set.Keys {
		kids = append(kids, key.Kid)
	}
	return kids
}

func (g *gateway) accepts(grant contract.Grant) bool {
	_, err := g.v.Verify(grant.AccessToken)
	return err == nil
}

// TestKeys_rotate_by_schedule: nobody is logged out, the old key goes when its
// tokens have run out, and its private part is forgotten.
func TestKeys_rotate_by_schedule(t *testing.T) {
	w := newWorld(t, quick)
	w.start()
	w.start()
	ann := w.register("ann")
	first := w.gateway().read()

	w.pass(24*time.Hour - 5*time.Second) // within the lead of the next
	eventually(t, func() bool { return len(w.gateway().read()) == 2 })
	early := w.refreshed(ann.RefreshToken)
	w.pass(20 * time.Second)
	late := w.refreshed(early.RefreshToken)
	gateway := w.gateway()
	if !gateway.accepts(early) || !gateway.accepts(late) {
		t.Fatal("a token is not accepted")
	}
	second := slices.DeleteFunc(gateway.read(), func(kid string) bool { return kid == first[0] })
	if len(second) != 1 || w.kid(early) != first[0] || w.kid(late) != second[0] {
		t.Fatalf("signed with %s, then with %s", w.kid(early), w.kid(late))
	}

	w.pass(14 * time.Minute) // early still lives, by a minute
	if !w.gateway().accepts(early) {
		t.Fatal("the old key went too early")
	}
	w.pass(3 * time.Minute)
	if got := w.gateway().read(); !slices.Equal(got, second) {
		t.Fatalf("the keys are %v, want %v", got, second)
	}
	last := w.refreshed(late.RefreshToken)
	if !w.gateway().accepts(last) || !w.lives(ann) {
		t.Fatal("somebody was logged out")
	}
	eventually(t, func() bool {
		list, err := w.store().Keys(t.Context())
		return err == nil && len(list) == 1 && list[0].Generation == 2
	})
}

// kid is the id of the key that signed.
func (w *world) kid(g contract.Grant) string {
	w.t.Helper()
	set := must(w, contract.GetKeys, contract.Empty{})
	for _, key := range set.Keys {
		v := token.NewVerifier(w.clock.Now)
		if err := v.SetKeys(contract.JWKS{Keys: []contract.JWK{key}}); err != nil {
			w.t.Fatal(err)
		}
		if _, err := v.Verify(g.AccessToken); err == nil {
			return key.Kid
		}
	}
	w.t.Fatal("no key has signed it")
	return ""
}

// TestKeys_rotate_by_hand, over replicas that read them once in a while: each
// knows the new key before any signs with it.
func TestKeys_rotate_by_hand(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.start()
	ann := w.register("ann")
	events := w.events()
	before := must(w, contract.ListKeys, contract.KeysRequest{Act: act}).Keys
	if len(before) != 1 || before[0].RetiredAt != nil {
		t.Fatalf("got %+v", before)
	}
	if got := events.audit(t); got.Action != "list_keys" || got.By != act.By {
		t.Fatalf("got %+v", got)
	}
	var keys []contract.SigningKey
	for range 2 { // asked twice, made once
		keys = must(w, contract.RotateKeys, contract.KeysRequest{Act: act}).Keys
		if len(keys) != 2 || keys[1].ID != before[0].ID || keys[1].RetiredAt == nil || keys[0].RetiredAt != nil {
			t.Fatalf("got %+v", keys)
		}
	}
	want := contract.AuditEvent{By: act.By, Reason: act.Reason, Action: "rotate_keys", KeyID: keys[0].ID}
	if got := events.audit(t); got != want {
		t.Fatalf("got %+v, want %+v", got, want)
	}
	if wait := keys[0].SignsFrom.Sub(keys[0].CreatedAt.Time); wait != 2*time.Minute+10*time.Second {
		t.Fatalf("it signs after %v", wait)
	}
	if g := w.refreshed(ann.RefreshToken); w.kid(g) != before[0].ID {
		t.Fatal("it signs before its time")
	} else {
		ann = g
	}
	w.pass(2*time.Minute + 11*time.Second)
	for range 10 { // of whichever replica
		if kids := w.gateway().read(); !slices.Equal(kids, []string{before[0].ID, keys[0].ID}) {
			t.Fatalf("got %v", kids)
		}
		ann = w.refreshed(ann.RefreshToken)
		if w.kid(ann) != keys[0].ID {
			t.Fatal("the old key signs on")
		}
	}
	must(w, contract.ListKeys, contract.KeysRequest{Act: act})
	if got := events.audit(t); got.Action != "list_keys" || got.By != act.By { // and none of the second rotate_keys
		t.Fatalf("got %+v", got)
	}
	if keys = must(w, contract.RotateKeys, contract.KeysRequest{Act: act}).Keys; len(keys) != 3 {
		t.Fatalf("got %+v", keys)
	}
}

// TestKeys_rotate_after_a_clock_was_ahead: a key that was made for next year
// keeps no other waiting, and the one before it still retires in time.
func TestKeys_rotate_after_a_clock_was_ahead(t *testing.T) {
	w := newWorld(t)
	w.start()
	const year = 365 * 24 * time.Hour
	w.pass(year)
	first := must(w, contract.RotateKeys, contract.KeysRequest{Act: act}).Keys[1]
	w.pass(-year)
	keys := must(w, contract.RotateKeys, contract.KeysRequest{Act: act}).Keys
	if len(keys) != 3 || keys[0].SignsFrom.After(w.clock.Now().Add(time.Hour)) {
		t.Fatalf("got %+v", keys)
	}
	w.pass(2*time.Minute + 11*time.Second)
	if grant := w.register("ann"); w.kid(grant) != keys[0].ID {
		t.Fatal("the old key signs on")
	}
	w.pass(time.Hour)
	if slices.Contains(w.gateway().read(), first.ID) {
		t.Fatal("the old key is accepted for a year")
	}
}

// TestKeys_rotate_only_by_hand without a schedule.
func TestKeys_rotate_only_by_hand(t *testing.T) {
	w := newWorld(t, quick, func(c *auth.Config) { c.KeyRotation = 0 })
	w.start()
	w.pass(10_000 * time.Hour)
	w.register("ann") // takes as long as many rounds of the keys
	if list, err := w.store().Keys(t.Context()); err != nil || len(list) != 1 {
		t.Fatalf("got %d keys, %v", len(list), err)
	}
	if keys := must(w, contract.RotateKeys, contract.KeysRequest{Act: act}).Keys; len(keys) != 2 {
		t.Fatalf("got %+v", keys)
	}
}
