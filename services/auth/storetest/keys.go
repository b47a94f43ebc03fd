package storetest

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
	"github.com/parley-im/parley/pkg/revision"
	"github.com/parley-im/parley/services/auth"
)

// key is a new one of a generation, not added yet.
func key(generation int64) auth.SealedKey {
	now := contract.NewTime(time.Now())
	return auth.SealedKey{
		Generation: generation, ID: id.New(), Sealed: []byte{1, byte(generation)},
		CreatedAt: now, SignsFrom: contract.NewTime(now.Add(time.Minute)),
	}
}

// haveKeys fails unless the store's keys are these, in this order.
func haveKeys(t *testing.T, s auth.Store, want ...auth.SealedKey) {
	t.Helper()
	got, err := s.Keys(within(t))
	if err != nil || len(got) != len(want) {
		t.Fatalf("got %d keys, %v; want %d", len(got), err, len(want))
	}
	for i, k := range got {
		w := want[i]
		if k.Generation != w.Generation || k.ID != w.ID || !bytes.Equal(k.Sealed, w.Sealed) || k.CreatedAt != w.CreatedAt || k.SignsFrom != w.SignsFrom {
			t.Fatalf("key %d is %+v, want %+v", i, k, w)
		}
	}
}

func oneKeyEach(t *testing.T, s auth.Store) {
	haveKeys(t, s)
	first, other := key(1), key(1)
	if err := s.AddKey(within(t), first, event(t, "keys")); err != nil {
		t.Fatal(err)
	}
	if err := s.AddKey(within(t), other, event(t, "keys")); !errors.Is(err, revision.ErrConflict) {
		t.Fatalf("a second key of a generation: %v", err)
	}
	if events := drain(t, s); len(events) != 1 {
		t.Fatalf("%d events of one key that was added", len(events))
	}
	list := []auth.SealedKey{first}
	for n := int64(2); n <= 11; n++ { // 10 comes after 9, not after 1
		next := key(n)
		if err := s.AddKey(within(t), next, nil); err != nil {
			t.Fatal(err)
		}
		list = append(list, next)
	}
	haveKeys(t, s, list...)
}

func forgetsKeys(t *testing.T, s auth.Store) {
	first, second := key(1), key(2)
	for _, k := range []auth.SealedKey{first, second} {
		if err := s.AddKey(within(t), k, event(t, "keys")); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // the second time there is nothing left to forget
		if err := s.ForgetKey(within(t), 1); err != nil {
			t.Fatal(err)
		}
		haveKeys(t, s, second)
	}
	if err := s.AddKey(within(t), key(1), nil); !errors.Is(err, revision.ErrConflict) {
		t.Fatalf("the generation of a forgotten key: %v", err)
	}
	if events := drain(t, s); len(events) != 2 {
		t.Fatalf("%d events are left of two", len(events))
	}
}

func posts(t *testing.T, s auth.Store) {
	userID := id.New()
	saveUser(t, s, user(), event(t, userID)...)
	events := append(event(t, userID), event(t, userID)...)
	if err := s.Post(within(t), events); err != nil {
		t.Fatal(err)
	}
	if err := s.Post(within(t), nil); err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, e := range drain(t, s) {
		got[e.ID] = true
	}
	if len(got) != 3 || !got[events[0].ID] || !got[events[1].ID] {
		t.Fatalf("got %v", got)
	}
	if again := drain(t, s); len(again) != 0 {
		t.Fatalf("%d events came again", len(again))
	}
}
