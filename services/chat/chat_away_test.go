package chat_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/services/chat"
)

// mute is a store that stores one insert and then says nothing of it.
type mute struct {
	chat.Store
	inserts atomic.Int64
	closed  atomic.Bool
}

func (s *mute) Append(ctx context.Context, r []chat.Record) (int, error) {
	stored, err := s.Store.Append(ctx, r)
	if s.inserts.Add(1) == 1 {
		return 0, errors.Join(errors.New("connection lost"), err)
	}
	return stored, err
}

func (s *mute) Close() error {
	s.closed.Store(true)
	return s.Store.Close()
}

func TestRun_over_a_store_that_is_wrapped(t *testing.T) {
	w := newWorld(t)
	store := &mute{}
	r := w.startOver(newFile(t), func(s chat.Store) chat.Store {
		store.Store = s
		return store
	})
	w.social.join("room", "ann")
	for seq, id := range []string{"c-1", "c-2"} {
		if sent := ask(w, contract.SendMessage, sendRequest("room", "ann", id)); sent.Seq != int64(seq)+1 || sent.Duplicate {
			t.Fatalf("sent %+v", sent)
		}
	}
	if n := store.inserts.Load(); n < 2 {
		t.Fatalf("the wrapped store saw %d inserts", n)
	}
	if err := r.stop(); err != nil || !store.closed.Load() {
		t.Fatalf("closed: %v, %v", store.closed.Load(), err)
	}
}
